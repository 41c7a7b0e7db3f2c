from experiments.common import start

start.run("batch_size")

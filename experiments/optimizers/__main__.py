from experiments.common import start

start.run("optimizers")

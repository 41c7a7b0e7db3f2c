from experiments.common import start

start.run("dead_relu")

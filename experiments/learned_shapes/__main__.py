from experiments.common import start

start.run("learned_shapes")

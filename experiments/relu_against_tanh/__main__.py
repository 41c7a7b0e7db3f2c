from experiments.common import start

start.run("relu_against_tanh")

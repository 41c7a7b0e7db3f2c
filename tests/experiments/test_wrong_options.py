"""Options of experiments that are wrong: one line names them, and nothing is written."""

import importlib

import pytest

from experiments.common import outcomes


@pytest.mark.parametrize(
    ("name", "option", "said"),
    [
        ("alexnet", "--activation=rleu", "relu"),
        ("alexnet", "--dataset=nowhere", "digits"),
        ("augmentations", "--augmentations=none;flip;flip", "each once"),
        ("augmentations", "--augmentations=;", "one or more"),
        ("augmentations", "--augmentations=none;rotat", "did you mean rotate"),
        ("augmentations", "--padding=-1", "--padding=-1 must be"),
        ("augmentations", "--model=vgg", "--model='vgg' must be one of"),
        ("batch_size", "--batch_sizes=64,32", "--batch_sizes=64,32 must rise"),
        ("batch_size", "--batch_sizes=32,many", "config.batch_size='many' must be"),
        ("batch_size", "--batch_sizes=32,2000", "batch_size=2000 must be at most the number of"),
        (
            "batch_size",
            "--rules=constant,sqr",
            "sqr must be one of constant, linear, sqrt, swept; did",
        ),
        ("batch_size", "--rules=sqrt,sqrt", "each once"),
        ("batch_size", "--rules=swept --learning_rates=0.1", "two values or more"),
        ("batch_size", "--reference_batch_size=0", "reference_batch_size"),
        ("batch_size", "--learning_rate=900 --rules=linear", "learning_rate"),
        ("batch_size", "--optimizer=adm", "did you mean adam"),
        ("batch_size", "--activations=rleu", "did you mean relu"),
        ("dead_relu", "--learning_rates=fast", "fast: config.learning_rate='fast' must be"),
        ("dead_relu", "--biases=", "--biases= must hold one value or more"),
        ("dead_relu", "--biases=nan", "config.bias_init"),
        ("dead_relu", "--activations=rleu", "did you mean relu"),
        ("initialization", "--width=0", "--width=0 must be a whole number from 1 to 16384"),
        ("initialization", "--depth=1", "--depth=1 must be"),
        ("initialization", "--seeds=-1", "--seeds=-1 must be"),
        ("initialization", "--width=16384", "GiB"),
        ("initialization", "--activations=rleu", "did you mean relu"),
        ("initialization", "--activations=softmax", "not elementwise"),
        ("initialization", "--activations=swiglu", "not elementwise"),
        ("learned_shapes", "--activations=relu", "relu learns no curve; one of prelu"),
        ("learned_shapes", "--activations=acon", "acon learns no curve; one of prelu"),
        ("learned_shapes", "--sharing=pixel", "--sharing=pixel must be layer or channel"),
        ("optimizers", "--optimizers=adam,adm", "--optimizers=adam,adm: optimizer"),
        ("optimizers", "--optimizers=adam,adam(b1=0.9)", "each once"),
        ("optimizers", "--optimizers=;", "--optimizers=;"),
        ("optimizers", "--epochs=120,10", "--epochs=120,10 must rise"),
        ("optimizers", "--epochs=", "--epochs= must hold one value or more"),
        ("optimizers", "--learning_rates=0.1", "a list for each of 2 optimizers (adam, sgd("),
        ("optimizers", "--learning_rates=0.1,0.1;0.2", "--learning_rates=0.1,0.1 must name each"),
        ("optimizers", "--learning_rates=0.1;fast", "config.learning_rate='fast' must be"),
        ("optimizers", "--rate_seeds=0", "rate_seeds"),
        ("optimizers", "--margin_points=0", "--margin_points=0 must be above 0"),
        ("optimizers", "--model=vgg", "--model='vgg' must be one of"),
        ("optimizers", "--batch_size=5000", "batch_size=5000 must be at most the number of"),
        ("playground", "--problems=circle", "did you mean circles?"),
        ("playground", "--problems=xor,xor", "each once"),
        ("playground", "--activations=rellu", "did you mean relu"),
        ("playground", "--activations=relu,swiglu", "swiglu sees channels"),
        ("playground", "--hidden=4,0", "whole numbers from 1"),
        ("playground", "--hidden=four", "whole numbers from 1"),
        ("playground", "--seeds=0", "whole number from 1"),
        ("playground", "--epochs=0", "whole number from 1"),
        ("playground", "--noise=0.6", "from 0 to 0.5"),
        ("playground", "--learning_rate=nan", "above 0"),
        ("playground", "--batch_size=251", "from 1 to 250"),
        ("preprocessing", "--preprocessings=mean_std,zca", "must be of none, channel_mean"),
        ("preprocessing", "--preprocessings=mean_std,mean_std", "each once"),
        ("preprocessing", "--target_accuracy=95", "95.0 must be a number from 0 to 1"),
        ("regularization", "--l1=-1", "jaxact: --l1="),
        ("regularization", "--dataset=digit", "jaxact: --dataset="),
        ("regularization", "--wrong_labels=1", "jaxact: --wrong_labels="),
        ("relu_against_tanh", "--activations=rleu", "relu"),
        ("relu_against_tanh", "--target_error=0", "target_error"),
        ("relu_against_tanh", "--learning_rates=0.1,fast", "learning_rate"),
        ("relu_against_tanh", "--batch_size=100000", "batch_size"),
    ],
)
def test_a_wrong_option_is_one_line(name, option, said, tmp_path, capsys):
    experiment = importlib.import_module(f"experiments.{name}.experiment")
    words = [*option.split(" "), f"--workdir={tmp_path / 'x'}"]
    assert outcomes.run(experiment.COMMAND, experiment.perform, lambda result: {}, words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "x").exists()

"""CIFAR-10 and VGG-11 with BatchNorm; crop and flip, which are the default of CIFAR alone.

    python -m jaxact.main --config=configs/cifar.py

The full 50 epochs are for a GPU. Variants: `paper` (the paper's protocol; it states neither
learning rate nor augmentation), `smoke` (2,000 images, 2 epochs: minutes on a CPU), and the usual
recipe of each other network, for a GPU too:

    python -m jaxact.main --config=configs/cifar.py:resnet18 --config.precision=bfloat16

- `resnet20`, `resnet18`, `preact_resnet18`, `mobilenet_v2`: 200 epochs of SGD as Zagoruyko and
  Komodakis 2016 have it (arXiv:1605.07146, section 3), its rate half a cosine (Loshchilov and
  Hutter 2017, arXiv:1608.03983). He et al. 2015 trained ResNet-20 with a decay of 1e-4 and three
  rates (`learning_rate_schedule=steps`), Sandler et al. 2018 MobileNetV2 on ImageNet by RMSProp
  with 4e-5.
- `resnet18_quick`: 40 epochs, with warm-up and smoothed labels (He et al. 2019, arXiv:1812.01187,
  sections 3.1 and 5); aims at 94 %.
- `convnext`: AdamW, warm-up and smoothed labels of Liu et al. 2022 (arXiv:2201.03545, table 5);
  their 4e-3 for batches of 4096 is 7e-4 for 128 by the square root rule (Malladi et al. 2022,
  arXiv:2205.10287). Their other augmentations and their averaged weights are left out.
- `mlp`: Adam with its own defaults, Kingma and Ba 2015 (arXiv:1412.6980), section 6.2.

The targets say to which accuracy epochs are counted, not what was reached: none of these recipes
was run to its end here.
"""

from typing import Any

from jaxact.config import default_config, variant

PAPER = {"epochs": 50, "batch_size": 128, "eval_split": "test", "target_accuracy": 0.87}
SMOKE = {"epochs": 2, "train_examples": 2000, "test_examples": 500, "latency_samples": 0}
SGD: dict[str, Any] = {
    "optimizer": "sgd(momentum=0.9, nesterov=True)",
    "learning_rate": 0.1,
    "learning_rate_schedule": "cosine",
    "weight_decay": 5e-4,
    "batch_size": 128,
    "epochs": 200,
}
RESNET18 = SGD | {"model": "resnet18", "target_accuracy": 0.94}
RECIPES: dict[str, dict[str, Any]] = {
    "resnet20": SGD | {"model": "resnet20", "target_accuracy": 0.91},
    "resnet18": RESNET18,
    "resnet18_quick": RESNET18 | {"epochs": 40, "warmup_epochs": 4.0, "label_smoothing": 0.1},
    "preact_resnet18": RESNET18 | {"model": "preact_resnet18"},
    "mobilenet_v2": SGD | {"model": "mobilenet_v2", "target_accuracy": 0.92},
    "convnext": {
        "model": "convnext",
        "optimizer": "adam",  # with weight decay it is AdamW
        "learning_rate": 7e-4,
        "learning_rate_schedule": "cosine",
        "warmup_epochs": 20.0,
        "weight_decay": 0.05,
        "label_smoothing": 0.1,
        "batch_size": 128,
        "epochs": 300,
        "target_accuracy": 0.9,
    },
    "mlp": {
        "model": "mlp",
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "batch_size": 128,
        "epochs": 50,
        "target_accuracy": 0.5,
    },
}


def get_config(name: str = ""):
    config = default_config()
    config.dataset = "cifar10"
    config.model = "vgg11"
    config.epochs = 50
    config.target_accuracy = 0.87
    return variant(config, name, {"paper": PAPER, "smoke": SMOKE} | RECIPES)

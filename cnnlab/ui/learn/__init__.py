"""The chapters of Learn, in their order. Add one here and the page has it."""

from __future__ import annotations

import streamlit as st

from cnnlab.networks.presets import PRESETS
from cnnlab.ui.learn import ablation, conv2d, convolution, cost, flatten, glossary, machines, pitfalls, program, step
from cnnlab.ui.learn.chapter import Chapter, Door, Source, design, show_ending
from cnnlab.ui.shell import address, frame
from cnnlab.ui.shell.address import CHAPTER

CHAPTERS: dict[str, Chapter] = {
    "convolution": Chapter(
        convolution.show,
        "What a convolution does",
        ":material/grid_on:",
        "Move a small window over a digit and see every product it takes.",
        "Which 3×3 filter answers to neither a 1 nor a 2, whatever its place? And which tells 1 from 2 best by its "
        "strongest answer alone?",
        (
            Source(
                "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition",
                "https://doi.org/10.1109/5.726791",
            ),
            Source("Fukushima 1980, Neocognitron", "https://doi.org/10.1007/BF00344251"),
        ),
        (
            Door("Train", "Train a small network: two convolutions", {"recipe": "basic-cnn", "epochs": "2"}),
            Door("Inside", "See the filters that a network learned"),
        ),
    ),
    "conv2d": Chapter(
        conv2d.show,
        "nn.Conv2d, every argument",
        ":material/tune:",
        "Set each argument and see which pixels feed an output, the size it gives and what it costs.",
        "How must padding grow with dilation for the image to keep its size at stride 1? Try kernels of 3, 5 and 7.",
        (
            Source(
                "Dumoulin and Visin 2016, A guide to convolution arithmetic for deep learning",
                "https://arxiv.org/abs/1603.07285",
            ),
            Source(
                "Yu and Koltun 2015, Multi-scale context aggregation by dilated convolutions",
                "https://arxiv.org/abs/1511.07122",
            ),
            Source(
                "Xie, Girshick, Dollár, Tu and He 2016, Aggregated residual transformations for deep neural networks",
                "https://arxiv.org/abs/1611.05431",
            ),
        ),
        (
            Door(
                "Train",
                "Train the Conv2d tour's network",
                {"recipe": "conv2d-tour", "dataset": "mnist-sample", "epochs": "3"},
            ),
        ),
    ),
    "machines": Chapter(
        machines.show,
        "The small machines between",
        ":material/settings_suggest:",
        "Feed numbers to pooling, ReLU, batch norm, dropout, flatten, softmax and cross-entropy.",
        "Which of these machines do something else while training than when the network answers? Find each by feeding "
        "it the same numbers twice.",
        (
            Source(
                "Glorot, Bordes and Bengio 2011, Deep sparse rectifier neural networks",
                "https://proceedings.mlr.press/v15/glorot11a.html",
            ),
            Source("Ioffe and Szegedy 2015, Batch normalization", "https://arxiv.org/abs/1502.03167"),
            Source(
                "Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, Dropout",
                "https://jmlr.org/papers/v15/srivastava14a.html",
            ),
        ),
        (Door("Design", "Put them into a network", design(PRESETS["seven-step-mnist"])),),
    ),
    "flatten": Chapter(
        flatten.show,
        "Why not flatten the image",
        ":material/view_week:",
        "Train a dense network and a convolutional one of as many parameters side by side, then shift the images.",
        "How many pixels may a digit move before the dense network guesses? Does training on shifted images help it as "
        "much as convolutions do?",
        (
            Source(
                "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition",
                "https://doi.org/10.1109/5.726791",
            ),
            Source(
                "Azulay and Weiss 2018, Why do deep convolutional networks generalize so poorly to small image "
                "transformations?",
                "https://arxiv.org/abs/1805.12177",
            ),
        ),
        (Door("Train", "Train on shifted images", {"recipe": "basic-cnn", "augmentation": "shift"}),),
    ),
    "step": Chapter(
        step.show,
        "The training step",
        ":material/footprint:",
        "Forward, loss, backward, update: one batch in slow motion, then optimisers on a loss surface.",
        "Up to which learning rate does plain SGD still come down the narrow valley? And with momentum?",
        (
            Source(
                "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
                "https://doi.org/10.1038/323533a0",
            ),
            Source("Kingma and Ba 2014, Adam", "https://arxiv.org/abs/1412.6980"),
            Source("Goh 2017, Why momentum really works", "https://doi.org/10.23915/distill.00006"),
            Source(
                "Li, Xu, Taylor, Studer and Goldstein 2018, Visualizing the loss landscape of neural nets",
                "https://arxiv.org/abs/1712.09913",
            ),
        ),
        (
            Door(
                "Train",
                "Have Train's finder suggest a rate",
                {"recipe": "default", "optimizer": "sgd", "schedule": "constant"},
            ),
        ),
    ),
    "program": Chapter(
        program.show,
        "Seven steps in PyTorch",
        ":material/code:",
        "The whole program for a tutorial or your own design, to read, run here and take home.",
        "What is the first number in the output that changes when you change the seed? And when you change the batch "
        "size?",
        (
            Source(
                "Paszke et al. 2019, PyTorch: an imperative style, high-performance deep learning library",
                "https://arxiv.org/abs/1912.01703",
            ),
        ),
        (Door("Train", "Train the same here", {"recipe": "basic-cnn"}),),
    ),
    "traps": Chapter(
        pitfalls.show,
        "Traps",
        ":material/warning:",
        "One click falls into each well-known trap, shows how it looks, and mends it.",
        "Which of these traps leave the training loss looking well? For each of those, which number would have told?",
        (
            Source(
                "Zhang, Bengio, Hardt, Recht and Vinyals 2016, Understanding deep learning requires rethinking "
                "generalization",
                "https://arxiv.org/abs/1611.03530",
            ),
            Source(
                "Recht, Roelofs, Schmidt and Shankar 2018, Do CIFAR-10 classifiers generalize to CIFAR-10?",
                "https://arxiv.org/abs/1806.00451",
            ),
            Source(
                "Karpathy 2019, A recipe for training neural networks", "https://karpathy.github.io/2019/04/25/recipe/"
            ),
        ),
        (Door("Evaluate", "Judge a network honestly"),),
    ),
    "ablation": Chapter(
        ablation.show,
        "What makes training better",
        ":material/balance:",
        "Switch augmentation, batch norm, dropout, weight decay and transfer on and off, over several seeds.",
        "Which of them still pays when there are ten times as many images?",
        (
            Source(
                "Simard, Steinkraus and Platt 2003, Best practices for convolutional neural networks applied to visual "
                "document analysis",
                "https://doi.org/10.1109/ICDAR.2003.1227801",
            ),
            Source(
                "Yosinski, Clune, Bengio and Lipson 2014, How transferable are features in deep neural networks?",
                "https://arxiv.org/abs/1411.1792",
            ),
            Source(
                "Bouthillier et al. 2021, Accounting for variance in machine learning benchmarks",
                "https://arxiv.org/abs/2103.03098",
            ),
        ),
        (
            Door("Sweep", "Search settings", {"recipe": "basic-cnn", "dataset": "mnist-sample", "epochs": "5"}),
            Door("Compare", "Compare runs, chance included"),
        ),
    ),
    "cost": Chapter(
        cost.show,
        "Memory and speed",
        ":material/speed:",
        "Where the bytes go, and what batch size and device do to images per second, measured on this machine.",
        "At which batch size does this machine stop getting faster? What limits it from there on?",
        (
            Source(
                "Williams, Waterman and Patterson 2009, Roofline: an insightful visual performance model",
                "https://doi.org/10.1145/1498765.1498785",
            ),
            Source("Micikevicius et al. 2017, Mixed precision training", "https://arxiv.org/abs/1710.03740"),
            Source(
                "Chen, Xu, Zhang and Guestrin 2016, Training deep nets with sublinear memory cost",
                "https://arxiv.org/abs/1604.06174",
            ),
        ),
        (
            Door("Train", "Train with large batches", {"recipe": "default", "batch_size": "1024"}),
            Door("Design", "See what each layer of a network costs", design(PRESETS["small-vgg"])),
        ),
    ),
}

_GLOSSARY_ICON = ":material/menu_book:"


def learn() -> None:
    """All chapters, or the one that the address names."""
    address.show_in_browser()
    name = CHAPTER.value()
    if name == glossary.NAME:
        frame.page("Learn", "What the words of the field mean.", title="Glossary")
        glossary.show()
        return
    if name is not None and name not in CHAPTERS:
        frame.page("Learn", "There is no such chapter.")
        _contents()
        return
    if name is None:
        frame.page("Learn", "Convolutional networks in short chapters: every number on them is computed as you look.")
        _contents()
        return
    chapter = CHAPTERS[name]
    frame.page("Learn", chapter.promise, title=chapter.title)
    st.fragment(chapter.show)()
    show_ending(chapter)
    _neighbours(name)


def _contents() -> None:
    """A card for each chapter."""
    numbered = list(enumerate(CHAPTERS.items(), start=1))
    for first in range(0, len(numbered), 3):
        for column, (number, (name, chapter)) in zip(st.columns(3), numbered[first : first + 3], strict=False):
            with column.container(border=True, height="stretch"):
                frame.door("Learn", f"**{number}. {chapter.title}**", {CHAPTER.name: name}, chapter.icon)
                st.caption(chapter.promise)
    frame.door("Learn", "Glossary: what the words mean", {CHAPTER.name: glossary.NAME}, _GLOSSARY_ICON)


def _neighbours(name: str) -> None:
    """To the chapter before, to all, to the glossary, to the next."""
    names = list(CHAPTERS)
    place = names.index(name)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for before in names[:place][-1:]:
            frame.door("Learn", f"Before: {CHAPTERS[before].title}", {CHAPTER.name: before}, ":material/arrow_back:")
        frame.door("Learn", "All chapters", {})
        frame.door("Learn", "Glossary", {CHAPTER.name: glossary.NAME}, _GLOSSARY_ICON)
        for after in names[place + 1 :][:1]:
            frame.door("Learn", f"Next: {CHAPTERS[after].title}", {CHAPTER.name: after}, ":material/arrow_forward:")

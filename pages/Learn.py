"""Learn: the ideas behind convolutional networks, chapter by chapter, to be tried out."""

from cnnlab.ui.learn import learn

learn()

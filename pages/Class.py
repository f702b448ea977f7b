"""Class: assignments, the board, and the class's own test set."""

from cnnlab.ui.classroom.page import show_class
from cnnlab.ui.shell import frame

head = frame.page("Class", "Assignments, the board of handed-in runs, and digits that everyone in the class draws.")

show_class(head)

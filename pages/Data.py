"""Data: the sets to train on, one's own pictures among them."""

from cnnlab.ui.data import PLACE
from cnnlab.ui.data.add_pictures import add_pictures, take_added
from cnnlab.ui.data.choose import choose_dataset
from cnnlab.ui.data.own import show_own
from cnnlab.ui.data.wall import show_wall
from cnnlab.ui.shell import flash, frame

head = frame.page("Data", "The pictures that networks learn from: the data sets in the lab, and your own.")

take_added()
spec = choose_dataset(head)
add_pictures()
flash.tell(PLACE)
with frame.errors_shown():
    if spec.digest:
        show_own(spec)
    else:
        show_wall(spec)

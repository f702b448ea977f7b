"""What .streamlit/config.toml keeps Streamlit from doing."""

from __future__ import annotations

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_cache import create_reference_msg, populate_hash_if_needed
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue


def test_nothing_of_an_interrupted_fragment_is_sent_without_its_container() -> None:
    container, chart = ForwardMsg(), ForwardMsg()
    container.metadata.delta_path.extend([0, 1])
    container.delta.add_block.allow_empty = False
    chart.metadata.delta_path.extend([0, 1, 0])
    chart.delta.new_element.markdown.body = "a large chart " * 10_000
    queue = ForwardMsgQueue()
    for message in (container, chart):
        message.delta.fragment_id = "page"
        populate_hash_if_needed(message)
        queue.enqueue(create_reference_msg(message) if message.metadata.cacheable else message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["page"])  # a click while the page was being written
    assert queue.is_empty()

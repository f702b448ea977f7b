from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from cnnlab.networks.architecture import Draft, Place, follow
from cnnlab.networks.diagram import COLOURS, draw_network
from cnnlab.networks.layers import (
    KINDS,
    AdaptivePool2d,
    BatchNorm2d,
    Conv2d,
    DepthwiseSeparable,
    Dropout,
    Flatten,
    Layer,
    Linear,
    Parallel,
    Residual,
    Shape,
    Softmax,
    SqueezeExcite,
)
from cnnlab.networks.presets import PRESETS

SVG = "{http://www.w3.org/2000/svg}"
NESTED = (
    Conv2d(out_channels=8, padding=1),
    Parallel(paths=((Conv2d(out_channels=4, kernel_size=1),), (Residual(body=(BatchNorm2d(),)), Dropout()), ())),
    Residual(body=(DepthwiseSeparable(out_channels=32, stride=2), SqueezeExcite())),
    AdaptivePool2d(),
    Flatten(),
    Linear(out_features="classes"),
)


def draft(*layers: Layer) -> Draft:
    return Draft(name="drawn", title="Drawn", layers=layers)


def drawn(network: Draft, shape: Shape = (1, 28, 28), selected: Place | None = None) -> Element:
    return ElementTree.fromstring(draw_network(follow(network, shape, 10), shape, network.title, selected))


def groups(root: Element) -> dict[str, Element]:
    """Each layer's, by its place."""
    found = [(group.get("data-place"), group) for group in root.iter(f"{SVG}g")]
    places = [place for place, _ in found if place]
    assert len(set(places)) == len(places)
    return {place: group for place, group in found if place}


def classes(group: Element) -> set[str]:
    return set(group.get("class", "").split())


def words(root: Element, kind: str) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text") if text.get("class") == kind]


def size(group: Element) -> tuple[float, float, float]:
    """Thickness, height and slant of a layer's solid."""
    faces = {path.get("class"): path.get("d", "") for path in group.findall(f"{SVG}path")}
    thickness, height, _ = map(float, re.findall(r"[hv](-?[\d.]+)", faces["front"]))
    slanted = re.search(r"l([\d.]+)", faces["side"])
    assert slanted
    return thickness, height, float(slanted[1])


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 40, 96), (3, 224, 224)])
@pytest.mark.parametrize("name", PRESETS)
def test_every_layer_of_every_preset_is_one_group_inside_the_picture(name: str, shape: Shape) -> None:
    rows = follow(PRESETS[name], shape, 10)
    root = drawn(PRESETS[name], shape)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == PRESETS[name].title
    assert list(groups(root)) == [".".join(map(str, row.place)) for row in rows]
    assert all("problem" not in classes(group) for group in groups(root).values())
    assert 100 < float(root.get("height", "")) < 320


def test_layers_within_blocks_lie_in_their_block() -> None:
    found = groups(drawn(draft(*NESTED)))
    assert {"1.0.0", "1.1.0.0.0", "1.1.1", "2.0.0.0.0", "2.0.1.0.4", "2.1.1"} <= found.keys()
    for place in found:
        if "." in place:
            assert place in groups(found[place.rsplit(".", 2)[0]])


def test_blocks_meet_in_their_signs() -> None:
    root = drawn(draft(*NESTED))
    assert words(root, "bus-name") == ["concat"]
    assert len([circle for circle in root.iter(f"{SVG}circle") if circle.get("class") == "sign"]) == 3


def test_larger_maps_are_larger_and_more_channels_thicker() -> None:
    narrow, wide, small = (
        size(group)
        for group in groups(
            drawn(
                draft(
                    Conv2d(out_channels=4, padding=1),
                    Conv2d(out_channels=64, padding=1),
                    Conv2d(out_channels=64, stride=(2, 1), padding=1),
                )
            )
        ).values()
    )
    assert narrow[0] < wide[0] == small[0]
    assert narrow[1:] == wide[1:]
    assert wide[1] > small[1] > wide[1] / 2  # damped
    assert wide[2] == small[2]


def test_more_features_are_a_higher_bar() -> None:
    bars = groups(drawn(draft(Flatten(), Linear(out_features=120), Linear(out_features="classes"))))
    flat, hidden, logits = (size(bars[place])[1] for place in "012")
    assert flat > hidden > logits > 0


def test_a_pixel_is_seen_beside_large_images() -> None:
    found = groups(drawn(draft(Conv2d(out_channels=4), AdaptivePool2d()), (3, 224, 224)))
    assert 3 < size(found["1"])[1] < size(found["0"])[1] / 5


def test_arrows_tell_the_shape_where_it_changes() -> None:
    layers = (Conv2d(out_channels=8, padding=1), BatchNorm2d(), Conv2d(out_channels=8, padding=1), *NESTED[3:])
    assert words(drawn(draft(*layers)), "shape") == ["1×28×28", "8×28×28", "8×1×1", "8", "10"]


def test_hovering_tells_what_a_layer_does() -> None:
    told = groups(drawn(PRESETS["lenet-5"]))["0"].findtext(f"{SVG}title")
    assert told == ("conv1: conv2d\nout channels 6, kernel size 5, padding 2\n1×28×28 → 6×28×28\n156 parameters")


def test_a_layer_that_does_not_fit_is_marked_and_those_behind_it_are_unknown() -> None:
    found = groups(drawn(draft(Conv2d(out_channels=8), Conv2d(out_channels=8, kernel_size=40), *NESTED)))
    assert "problem" in classes(found["1"])
    assert words(found["1"], "mark") == ["!"]
    assert "does not fit" in (found["1"].findtext(f"{SVG}title") or "")
    assert not classes(found["0"]) & {"problem", "unknown"}
    assert all("unknown" in classes(group) for place, group in found.items() if int(place[0]) > 1)


def test_a_layer_that_does_not_fit_is_marked_inside_its_block() -> None:
    found = groups(drawn(draft(Residual(body=(Conv2d(out_channels=8), Conv2d(out_channels=8, kernel_size=40))))))
    assert "problem" in classes(found["0.0.1"])
    assert "problem" not in classes(found["0.0.0"])


def test_a_list_without_an_end_is_marked_at_its_last_layer() -> None:
    found = groups(drawn(draft(Flatten(), Linear(out_features=5))))
    assert "problem" in classes(found["1"])
    assert size(found["1"])[1] > 0


def test_the_selected_layer_stands_out() -> None:
    found = groups(drawn(draft(*NESTED), selected=(2, 0, 1, 0, 4)))
    assert [place for place, group in found.items() if "selected" in classes(group)] == ["2.0.1.0.4"]


def test_nothing_at_all_is_drawn_as_the_image() -> None:
    root = drawn(draft())
    assert not groups(root)
    assert words(root, "name") == ["image"]


def test_a_title_is_text_whatever_it_says() -> None:
    nasty = '</title><script>alert("1")</script>&'
    svg = draw_network(follow(draft(), (1, 8, 8), 10), (1, 8, 8), nasty)
    root = ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert root.findtext(f"{SVG}title") == root.get("aria-label") == nasty


@pytest.mark.parametrize("letter", ["\x00", "\x1b", "\ufffe", "\ud800"])
def test_what_is_no_text_leaves_the_drawing_whole(letter: str) -> None:
    svg = draw_network(follow(draft(), (1, 8, 8), 10), (1, 8, 8), f"My{letter} net")
    assert ElementTree.fromstring(svg.encode()).findtext(f"{SVG}title") == "My net"


def test_a_long_name_is_cut_and_told_in_full() -> None:
    root = drawn(draft(Conv2d(out_channels=8, name="a" * 40)))
    assert max(map(len, words(root, "name"))) < 20
    assert (groups(root)["0"].findtext(f"{SVG}title") or "").startswith("a" * 40)


def test_the_style_sheet_touches_nothing_outside_the_drawing() -> None:
    sheet = drawn(draft(Softmax())).findtext(f"{SVG}style") or ""
    rules = re.sub(r"@media[^{]*{(.*?})\s*}", r"\1", sheet, flags=re.DOTALL)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+){", rules) for one in rule.split(",")]
    assert len(selectors) > 30
    assert all(selector.startswith(".network-drawing") for selector in selectors)


def test_every_kind_of_layer_has_a_colour() -> None:
    assert {kind.family for kind in KINDS.values()} == COLOURS.keys()


def test_two_hundred_layers_are_one_row() -> None:
    root = drawn(draft(*(Conv2d(out_channels=8, padding=1),) * 200))
    assert len(groups(root)) == 200
    assert float(root.get("height", "")) < 250

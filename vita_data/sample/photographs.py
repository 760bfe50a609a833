"""The photographs that come with scikit-image and scikit-learn, and what can truly be said about them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from vita_data.errors import SourceError

SKIMAGE = ("skimage", "scikit-image", "data")
SKLEARN = ("sklearn", "scikit-learn", "datasets/images")
PUBLIC = "public domain"
CC0 = "CC0-1.0"
CC_BY = "CC-BY-2.0"


@dataclass(frozen=True)
class Photograph:
    """One file: `subject` is a noun phrase, `facts` are clauses about the whole picture."""

    file: str
    subject: str
    facts: tuple[str, ...]
    licence: str
    credit: str
    place: tuple[str, str, str] = SKIMAGE  # module, package, folder inside it

    @property
    def name(self) -> str:
        """The file name without its extension."""
        return Path(self.file).stem


PHOTOGRAPHS = (
    Photograph(
        "astronaut.png",
        "a smiling astronaut in an orange space suit",
        (
            "a flag with red and white stripes stands behind the astronaut on the left",
            "a model of a space shuttle with its rockets can be seen behind the astronaut on the right",
            "a dark helmet with a white rim lies in front of the astronaut on the right",
        ),
        PUBLIC,
        "NASA, portrait of Eileen Collins",
    ),
    Photograph(
        "brick.png",
        "a wall of narrow bricks",
        (
            "the bricks stand upright and are seen a little from the side",
            "light joints run between the grey bricks",
            "nothing but bricks and joints can be seen",
        ),
        CC0,
        "CC0Textures, Bricks25",
    ),
    Photograph(
        "camera.png",
        "a man in a dark coat looking through a camera on a tripod",
        (
            "a lawn stretches behind the man",
            "buildings, one of them a slim tower, stand on the horizon",
            "the man stands on the left and looks to the right",
        ),
        CC0,
        "Lav Varshney",
    ),
    Photograph(
        "cell.png",
        "a single round cell under a microscope",
        (
            "the cell is a bright disc with a dark ring around it",
            "the background is dark grey and slightly uneven",
            "the cell lies to the right of the middle",
        ),
        CC0,
        "P. Müller and others, quantitative phase image",
    ),
    Photograph(
        "chelsea.png",
        "the face of a tabby cat",
        (
            "the cat has greenish eyes and long white whiskers",
            "the fur is striped in brown and orange tones",
            "the cat looks past the camera",
        ),
        CC0,
        "Stefan van der Walt",
    ),
    Photograph(
        "clock_motion.png",
        "a wall clock blurred because the camera moved",
        (
            "the clock is a bright oval smear on a grey wall",
            "the hands of the clock cannot be made out",
            "the camera was moved sideways while the shutter was open",
        ),
        PUBLIC,
        "Stefan van der Walt",
    ),
    Photograph(
        "coffee.png",
        "a cup of espresso on a wooden table",
        (
            "the cup and its saucer are reddish brown, and the cup is white inside",
            "a small spoon lies on the saucer to the right of the cup",
            "the table is made of warm brown wood",
        ),
        CC0,
        "Rachel Michetti, courtesy of Pikolo Espresso Bar",
    ),
    Photograph(
        "coins.png",
        "ancient Greek coins laid out in four rows",
        (
            "there are twenty-four coins in four rows of six",
            "the coins lie on a dark grey ground",
            "many of the coins show heads or figures",
        ),
        "no known copyright restrictions",
        "Brooklyn Museum",
    ),
    Photograph(
        "grass.png",
        "a lawn seen from above",
        (
            "blades of grass lie in every direction",
            "a few broader leaves lie between the blades",
            "nothing but grass fills the frame",
        ),
        CC0,
        "scikit-image texture, see its documentation",
    ),
    Photograph(
        "gravel.png",
        "a ground covered with gravel",
        (
            "the stones are angular and of similar size",
            "the gaps between the stones are dark",
            "nothing but stones fills the frame",
        ),
        CC0,
        "CC0Textures, Gravel04",
    ),
    Photograph(
        "hubble_deep_field.jpg",
        "distant galaxies in a black sky",
        (
            "hundreds of galaxies appear as small points, discs and streaks",
            "some of the galaxies look orange and others bluish",
            "nothing but galaxies and a few stars can be seen",
        ),
        PUBLIC,
        "NASA, Hubble eXtreme Deep Field",
    ),
    Photograph(
        "ihc.png",
        "stained tissue under a microscope",
        (
            "brown rings of gland cells stand out",
            "small blue cell nuclei are scattered over a pale ground",
            "the tissue is a thin slice of the wall of the colon",
        ),
        "no known copyright restrictions",
        "Center for Microscopy and Molecular Imaging",
    ),
    Photograph(
        "moon.png",
        "the grey surface of the Moon",
        (
            "a round crater lies in the upper left",
            "small craters are scattered over a smooth plain",
            "a dark, rough hollow lies near the lower edge",
        ),
        "distributed with scikit-image under BSD-3-Clause",
        "scikit-image",
    ),
    Photograph(
        "retina.jpg",
        "the inside of a human eye, the retina",
        (
            "red blood vessels branch out from a bright spot on the left",
            "the retina is a large orange-red disc on a black ground",
            "a darker spot lies near the middle of the red disc",
        ),
        CC0,
        "Mikael Häggström",
    ),
    Photograph(
        "rocket.jpg",
        "a white rocket standing on its launch pad at dusk",
        (
            "tall lattice towers stand on both sides of the rocket",
            "bright lamps shine near the ground",
            "the sky behind the rocket is dark blue",
        ),
        PUBLIC,
        "SpaceX, Falcon 9 with DSCOVR",
    ),
    Photograph(
        "text.png",
        "handwritten formulas on ruled paper",
        (
            "the paper is seen at a slant",
            "dark pen strokes stand on grey paper",
            "straight lines are printed on the paper",
        ),
        PUBLIC,
        "Wikipedia, Corner.png",
    ),
    Photograph(
        "china.jpg",
        "a tall Chinese pavilion above a lake",
        (
            "the roofs are covered with orange and green tiles",
            "green trees surround the building",
            "a lake stretches to the horizon under a pale sky",
        ),
        CC_BY,
        "danielbuechele, flickr.com/photos/danielbuechele/6061409035, cut into crops",
        SKLEARN,
    ),
    Photograph(
        "flower.jpg",
        "an orange dahlia in bloom",
        (
            "the background is a blur of dark green leaves",
            "the petals are packed in rings around the middle of the flower",
            "part of a second flower can be seen at the lower edge",
        ),
        CC_BY,
        "vultilion, flickr.com/photos/vultilion/6056698931, cut into crops",
        SKLEARN,
    ),
)


def open_photograph(photo: Photograph) -> Image.Image:
    """The photograph as RGB or grey; SourceError names the package when it is not installed."""
    module, package, folder = photo.place
    spec = find_spec(module)
    path = Path(spec.origin or "").parent / folder / photo.file if spec else None
    if path is None or not path.is_file():
        raise SourceError(
            f"The photograph {photo.file} of the package {package} is not there: pip install {package}."
        )
    with Image.open(path) as picture:
        return picture.convert("L" if picture.mode == "L" else "RGB")

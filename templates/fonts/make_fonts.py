"""Make the report fonts, Cadproof Sans Regular and Bold, from the static TrueType files of Pretendard.

    python make_fonts.py <folder with Pretendard-Regular.ttf and Pretendard-Bold.ttf> <output folder>

Pretendard is under the SIL Open Font License 1.1 with "Pretendard" as a reserved font name, so that a changed font
has to carry another name. What is changed: characters that no report uses are left out, hinting and all layout
features but kerning are dropped, and the ten digits are the equally wide ones (Pretendard's `tnum`), so that the
columns of a table line up in engines that know no OpenType features. No outline is changed.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FAMILY = "Cadproof Sans"
VERSION = "1.000"

# Inclusive ranges. A character that Pretendard does not have is left out silently; README.md says which were wanted.
RANGES = [
    (0x0020, 0x007E),  # Basic Latin
    (0x00A0, 0x017F),  # Latin-1, Latin Extended-A
    (0x0192, 0x0192),
    (0x02C6, 0x02DC),  # spacing modifiers, circumflex to tilde
    (0x0300, 0x0304),  # combining marks: estimates such as x-bar, theta-hat
    (0x0370, 0x03FF),  # Greek
    (0x2000, 0x206F),  # general punctuation
    (0x2070, 0x209F),  # superscripts, subscripts
    (0x20A0, 0x20BF),  # currency, won sign
    (0x2100, 0x218F),  # letterlike signs, fractions, Roman numerals
    (0x2190, 0x21FF),  # arrows
    (0x2200, 0x22FF),  # mathematical operators, minus sign
    (0x2300, 0x23FF),  # technical
    (0x2460, 0x2473),  # circled 1 to 20
    (0x2500, 0x257F),  # box drawing
    (0x2580, 0x259F),  # blocks
    (0x25A0, 0x25FF),  # geometric shapes
    (0x2600, 0x2612),  # stars, ballot boxes
    (0x2700, 0x27BF),  # dingbats: check mark, ballot x
    (0x3000, 0x303F),  # CJK punctuation, corner brackets
    (0x3131, 0x318E),  # Hangul compatibility jamo
    (0x3200, 0x321E),  # parenthesised Hangul
    (0x3260, 0x327F),  # circled Hangul
    (0x3380, 0x33DF),  # squared units
    (0xAC00, 0xD7A3),  # all 11,172 Hangul syllables
    (0xFF00, 0xFFEF),  # full-width forms
]


def use_tabular_digits(font):
    """Point the characters 0 to 9 at the glyphs that `tnum` would put in their place."""
    gsub = font["GSUB"].table
    lookups = {
        index
        for record in gsub.FeatureList.FeatureRecord
        if record.FeatureTag == "tnum"
        for index in record.Feature.LookupListIndex
    }
    mapping = {}
    for index in sorted(lookups):
        for table in gsub.LookupList.Lookup[index].SubTable:
            mapping.update(getattr(table, "ExtSubTable", table).mapping)
    widths = set()
    for table in font["cmap"].tables:
        for code in range(ord("0"), ord("9") + 1):
            if code in table.cmap:
                # Subtables may share one dictionary, in which case the digit has been replaced already.
                table.cmap[code] = mapping.get(table.cmap[code], table.cmap[code])
                widths.add(font["hmtx"][table.cmap[code]][0])
    assert len(widths) == 1, f"digits are not equally wide: {widths}"


def rename(font, style):
    """Replace the name table: the reserved name may not stay in it, the copyright and the licence have to."""
    original = {r.nameID: str(r) for r in font["name"].names if (r.platformID, r.langID) == (3, 0x0409)}
    postscript = f"{FAMILY.replace(' ', '')}-{style}"
    names = {
        0: original[0],
        1: FAMILY,
        2: style,
        3: f"{VERSION};{postscript}",
        4: f"{FAMILY} {style}",
        5: f"Version {VERSION}",
        6: postscript,
        9: original[9],
        13: original[13],
        14: original[14],
    }
    font["name"].names = []
    for name_id, text in names.items():
        font["name"].setName(text, name_id, 3, 1, 0x0409)


def make(source, target, style):
    font = TTFont(source, recalcTimestamp=False)
    use_tabular_digits(font)
    options = subset.Options()
    options.hinting = False
    options.layout_features = ["kern"]
    options.glyph_names = False
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.drop_tables += ["DSIG"]
    options.recalc_timestamp = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    subsetter.subset(font)
    rename(font, style)
    font.save(target)
    characters = font.getBestCmap()
    syllables = sum(0xAC00 <= code <= 0xD7A3 for code in characters)
    assert syllables == 11172, f"only {syllables} Hangul syllables"
    print(f"{target}: {target.stat().st_size} bytes, {len(characters)} characters, {len(font.getGlyphOrder())} glyphs")


def main():
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    for style in ("Regular", "Bold"):
        make(source / f"Pretendard-{style}.ttf", target / f"CadproofSans-{style}.ttf", style)


if __name__ == "__main__":
    main()

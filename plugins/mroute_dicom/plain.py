"""The tags of a file in which everything is as it usually is, without a parser.

Knows explicit VR little endian, compressed or not, and texts in ASCII, which is what most files
are. Does not know anything else: then the parser is asked, which takes many times as long.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from mroute_dicom.elements import LONGEST, has_text, is_one_encoding, name_of, plain_text
from mroute_dicom.walk import HEAD, MAGIC, PREAMBLE, file_meta, uid_text, walk

_IMPLICIT, _DEFLATED, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
_CHARACTER_SET = 0x0008_0005
_PIXELS = 0x7FE0_0000


def plain_tags(path: Path) -> dict[str, str] | None:
    """Keyword to text of all elements before the pixel data, and of the file meta information.

    None where the parser must be asked. Raises `OSError` where the file cannot be read.
    """
    with path.open("rb") as file:
        if file.seek(0, 2) < PREAMBLE + len(MAGIC):
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _tags(content)


def _tags(content: mmap.mmap) -> dict[str, str] | None:
    head = content[:HEAD]
    offset, meta = file_meta(head)
    syntax = uid_text(meta.get(0x10, b""))
    if head[PREAMBLE : PREAMBLE + len(MAGIC)] != MAGIC or not syntax.startswith(_IMPLICIT):
        return None
    if syntax in (_IMPLICIT, _DEFLATED, _BIG) or 0x02 not in meta:
        return None
    tags: dict[str, str] = {}
    one_encoding, before, ended = True, 0, False
    for tag, representation, begin, end in walk(content, offset, explicit=True):
        if tag <= before or representation == "UN":
            return None
        before = tag
        if tag >= _PIXELS:
            ended = True
            break
        if not has_text(representation) or tag & 0xFFFF == 0 or end - begin > LONGEST:
            continue
        text = plain_text(representation, content[begin:end], one_encoding)
        if text is None:
            return None
        if tag == _CHARACTER_SET:
            one_encoding = is_one_encoding(text)
        tags.setdefault(name_of(tag), text)
    if not (ended or _is_at_the_end(content, offset)):
        return None
    sop_class = uid_text(meta[0x02])
    return {**tags, "TransferSyntaxUID": syntax, "MediaStorageSOPClassUID": sop_class}


def _is_at_the_end(content: mmap.mmap, offset: int) -> bool:
    """Whether the walk went to the end of the file, and not only to something odd."""
    ends = [element.end for element in walk(content, offset, explicit=True)]
    return bool(ends) and ends[-1] == len(content)

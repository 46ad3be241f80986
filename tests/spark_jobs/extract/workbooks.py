"""Workbooks for tests, written as a spreadsheet program writes them: a zip of XML."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

_TYPES = """\
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
</Types>"""
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_RELATION = (
    '<Relationship Id="{}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"/>'
)
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_MORE = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
# Styles: 0 general, 1 date, 2 date and time, 3 time, 4 duration.
_FORMATS = (0, 14, 22, 21, 46)


def workbook(sheets: dict[str, str]) -> bytes:
    """A workbook of sheets: name -> rows as XML, see `rows`; what follows `|` stands behind the rows."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        main = _RELATION.format("r1", "officeDocument", "xl/workbook.xml")
        archive.writestr("_rels/.rels", _RELATIONS.format(main))
        listed = "".join(
            f'<sheet name="{escape(name)}" sheetId="{place}" r:id="r{place}"/>' for place, name in enumerate(sheets, 1)
        )
        archive.writestr("xl/workbook.xml", f"<workbook {_MAIN} {_MORE}><sheets>{listed}</sheets></workbook>")
        links = [_RELATION.format(f"r{n}", "worksheet", f"worksheets/s{n}.xml") for n in range(1, len(sheets) + 1)]
        links.append(_RELATION.format("styles", "styles", "styles.xml"))
        archive.writestr("xl/_rels/workbook.xml.rels", _RELATIONS.format("".join(links)))
        styles = "".join(f'<xf numFmtId="{number}"/>' for number in _FORMATS)
        archive.writestr("xl/styles.xml", f"<styleSheet {_MAIN}><cellXfs>{styles}</cellXfs></styleSheet>")
        for place, content in enumerate(sheets.values(), 1):
            data, _, rest = content.partition("|")
            archive.writestr(
                f"xl/worksheets/s{place}.xml", f"<worksheet {_MAIN}><sheetData>{data}</sheetData>{rest}</worksheet>"
            )
    return made.getvalue()


def rows(*given: list[object]) -> str:
    """Rows from A1 on: texts, numbers, booleans, None for no cell, and (style, value) or ("e", error)."""
    return "".join(
        f'<row r="{number}">'
        + "".join(_cell(value, f"{_letters(place)}{number}") for place, value in enumerate(row))
        + "</row>"
        for number, row in enumerate(given, 1)
    )


def _letters(place: int) -> str:
    return (_letters(place // 26 - 1) if place >= 26 else "") + chr(65 + place % 26)


def _cell(value: object, place: str) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        style, held = value
        if style == "e":
            return f'<c r="{place}" t="e"><v>{held}</v></c>'
        return f'<c r="{place}" s="{style}"><v>{held}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'

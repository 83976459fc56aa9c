"""Small files of every kind that is taken, made here."""

import io
import struct
import zipfile
import zlib

from states.files.kinds import Kind

MAIN = '<Types><Override PartName="/x" ContentType="{}.main+xml"/></Types>'
OPC = "[Content_Types].xml"


def archive(*parts: tuple[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as new:
        for name, text in parts:
            new.writestr(name, text)
    return made.getvalue()


def office(kind: str, *more: tuple[str, str]) -> bytes:
    return archive((OPC, MAIN.format(kind)), ("word/document.xml", "<w/>"), *more)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pdf(words: str = "Đơn đề nghị") -> bytes:
    return f"%PDF-1.7\n1 0 obj<</T({words})>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".encode()


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\0"))
    + chunk(b"IEND", b"")
)
FILES: dict[Kind, bytes] = {
    Kind.pdf: pdf(),
    Kind.jpeg: b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9",
    Kind.png: PNG,
    Kind.tiff: b"II*\0" + struct.pack("<IHI", 8, 0, 0) + b"\0" * 8,
    Kind.webp: b"RIFF" + struct.pack("<I", 12) + b"WEBPVP8 \0\0\0\0",
    Kind.docx: office(Kind.docx),
    Kind.xlsx: office(Kind.xlsx),
    Kind.odt: archive(("mimetype", Kind.odt), ("content.xml", "<office/>")),
    Kind.ods: archive(("mimetype", Kind.ods), ("content.xml", "<office/>")),
}
MACRO = "application/vnd.ms-word.document.macroEnabled"
NOT_TAKEN: dict[str, bytes] = {
    "nothing": b"",
    "a page": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "a program of Linux": b"\x7fELF\x02\x01\x01" + b"\0" * 60,
    "a program of Windows": b"MZ\x90\0" + b"\0" * 100,
    "a script": b"#!/bin/sh\nrm -rf /\n",
    "words": "Kính gửi".encode(),
    "GIF": b"GIF89a" + b"\0" * 40,
    "a drawing that runs": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    "XML": b"<?xml version='1.0'?><a/>",
    "an old document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    "RAR": b"Rar!\x1a\x07\0" + b"\0" * 40,
    "ZIP": archive(("a.pdf", pdf())),
    "a document with macros": office(MACRO),
    "a document that hides macros": office(Kind.docx, ("word/vbaProject.bin", "x")),
    "an open document with macros": archive(
        ("mimetype", Kind.odt), ("Basic/Standard/Module1.xml", "x")
    ),
    "an archive that calls itself a PDF": archive(("mimetype", Kind.pdf)),
    "a form": b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + pdf(),
    "a page that is a PDF further on": b"<html>\n" + pdf(),
    "a picture that is a PDF further on": b"GIF89a" + pdf(),
    "a PDF after an empty line": b"\n" + pdf(),
    "a PDF that is a page": b"%PDF-1.7\n<html><script>alert(1)</script></html>",
    "a program that is a document too": b"MZ\x90\0" + office(Kind.docx),
    "a document with a program behind it": office(Kind.docx) + b"MZ\x90\0" * 10,
    "the beginning of JPEG": b"\xff\xd8\xff",
    "the beginning of ZIP": b"PK\x03\x04",
    "TIFF that points outside": b"II*\0\xff\xff\xff\xff" + b"\0" * 20,
    "RIFF that is sound": b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40,
}

"""The GSM alphabet tables are whole and do not overlap."""

from parley.lib.gsm import BASIC, ESCAPE, EXTENSION


def test_the_default_alphabet_has_128_distinct_septets() -> None:
    assert len(BASIC) == len(set(BASIC)) == 128
    assert BASIC.index(ESCAPE) == 0x1B
    assert [BASIC.index(each) for each in "@$_ 0AaÄà"] == [0x00, 0x02, 0x11, 0x20, 0x30, 0x41, 0x61, 0x5B, 0x7F]


def test_the_extension_table_adds_ten_characters() -> None:
    assert len(EXTENSION) == len(set(EXTENSION.values())) == 10
    assert not set(EXTENSION) & set(BASIC)
    assert EXTENSION["€"] == 0x65

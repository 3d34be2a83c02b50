import socket
from contextlib import suppress
from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from parley.webhooks.guard import Guard, RefusedUrl

STRICT = Guard()

NUMBER_SPELLINGS = st.sampled_from(["{}", "0x{:x}", "0X{:X}", "0{:o}", "0x0{:x}", "00{:o}"])
INWARD = st.sampled_from(["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"]).map(IPv4Address)


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """An inward IPv4 address in one of inet_aton's spellings: 1 to 4 parts, each decimal, hexadecimal or octal."""
    left = int(draw(INWARD))
    count = draw(st.integers(1, 4))
    parts = []
    for index in range(count - 1):
        shift = 8 * (3 - index)
        parts.append(left >> shift)
        left &= (1 << shift) - 1
    spelled = [draw(NUMBER_SPELLINGS).format(part) for part in [*parts, left]]
    return ".".join(spelled) + draw(st.sampled_from(["", "."]))


@given(spellings(), st.sampled_from(["http://{}/", "https://u:p@{}:8080/x", "HTTP://{}?x"]))
def test_no_spelling_of_an_inward_address_passes(host: str, form: str) -> None:
    passed = True
    try:
        STRICT.check_url(form.format(host))
    except RefusedUrl:
        passed = False
    assert not passed


@given(
    st.text(max_size=80) | st.text(st.sampled_from("0123456789xaf.:[]%@/\\#?。１")).map(lambda text: f"http://{text}")
)
def test_any_text_is_a_public_url_or_refused(url: str) -> None:
    with suppress(RefusedUrl):
        host = STRICT.check_url(url).raw_host or ""
        with suppress(OSError):  # a name
            assert IPv4Address(socket.inet_aton(host)).is_global


@given(st.text(max_size=40))
def test_any_address(ip: str) -> None:
    with suppress(RefusedUrl):
        STRICT.check_ip(ip)

"""How many segments a text takes, before it is sent: python segments.py "Café ☕"."""

from arguments import arguments
from twilio.rest import Client

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = frozenset("\f^{}\\[~]|€")
"""Those take the place of two."""


def segments(text: str) -> int:
    """Count them. One character that GSM 7-bit has not makes all of the text UCS-2, at 70 to a segment and not 160."""
    if set(text) <= GSM_7 | ESCAPED:
        sizes = [2 if character in ESCAPED else 1 for character in text]
        alone, each = 160, 153
    else:
        sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]  # emoji are pairs
        alone, each = 70, 67
    if sum(sizes) <= alone:
        return 1
    count, room = 1, each
    for size in sizes:  # nothing that takes two places is cut in half
        if size > room:
            count, room = count + 1, each
        room -= size
    return count


def send_plainly(client: Client, sender: str, recipient: str, text: str) -> int:
    """Send a text with GSM 7-bit's own characters for those that only look different, such as “ and –.

    Returns how many segments it took.
    """
    message = client.messages.create(from_=sender, to=recipient, body=text, smart_encoded=True)
    return int(message.num_segments)


if __name__ == "__main__":
    print(segments(*arguments(__doc__, text=str)))

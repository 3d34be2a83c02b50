"""A conversation without a database: each answer leads to a URL whose query says what is known so far, and where an
answer comes in several parts, a Redirect goes from one to the next.
"""

from urllib.parse import urlencode

from arguments import arguments
from twilio.twiml.messaging_response import Message, MessagingResponse
from webhooks import serve

PICTURE = "https://demo.twilio.com/owl.png"
PRICES = {"small": 3, "large": 5}


def order(event: dict[str, str]) -> MessagingResponse:
    """`large pizza` goes on to its price; all else gets a word of help."""
    size, _, what = event["Body"].strip().lower().partition(" ")
    answer = MessagingResponse()
    if size in PRICES and what:
        answer.redirect("/price?" + urlencode({"size": size, "what": what}))
    else:
        answer.message(f"Say {' or '.join(PRICES)}, and what, such as: large pizza")
    return answer


def price(event: dict[str, str]) -> MessagingResponse:
    """Name the price of what the URL says, and go on to the receipt."""
    answer = MessagingResponse()
    answer.message(f"A {event['size']} {event['what']} is ${PRICES[event['size']]}.")
    answer.redirect("/receipt?" + urlencode({"what": event["what"]}))
    return answer


def receipt(event: dict[str, str]) -> MessagingResponse:
    """Say where to pick it up, with a picture of the place."""
    message = Message()
    message.body(f"Your {event['what']} is ready in 20 minutes.")
    message.media(PICTURE)
    return MessagingResponse().append(message)


def nothing(_event: dict[str, str]) -> MessagingResponse:
    """Take a message without an answer."""
    return MessagingResponse()


if __name__ == "__main__":
    arguments(__doc__)
    serve({"/sms": order, "/price": price, "/receipt": receipt, "/quiet": nothing})

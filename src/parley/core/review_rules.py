"""What the simulator's reviewers object to. Pure: a submission in, objections out.

Bounds are those that messaging v1 gives for each field; the rest is what carriers' handbooks ask for, in our own words.
"""

import re
from collections.abc import Iterator
from typing import Final

from parley.model.registry import Brand, Campaign, Objection, TollFreeVerification

_LEAST_PROSE: Final = 40
"""Characters of a description or a message flow."""
_LEAST_SAMPLE: Final = 20
_SAMPLES: Final = 2
_OPT_OUT: Final = re.compile(r"\b(stop|opt[ -]?out|unsubscribe)\b", re.IGNORECASE)
_LINK: Final = re.compile(r"https?://\S|\bwww\.\S", re.IGNORECASE)
_PHONE: Final = re.compile(r"(?<![\d/])\+?\(?\d(?:[ ().-]{0,2}\d){9,14}(?!\d)")


def of_campaign(campaign: Campaign, brand: Brand | None) -> tuple[Objection, ...]:
    """What is wrong with a campaign. One that was registered elsewhere (`brand` None) was reviewed there."""
    return tuple(_of_campaign(campaign, brand)) if brand is not None else ()


def of_verification(asked: TollFreeVerification) -> tuple[Objection, ...]:
    """What is wrong with a toll-free number's verification."""
    return tuple(_of_verification(asked))


def _of_campaign(campaign: Campaign, brand: Brand) -> Iterator[Objection]:
    if brand.verdict == "rejected":
        yield Objection("brand", "brand_registration_sid", "The campaign's brand was rejected.")
    if len(campaign.description) < _LEAST_PROSE:
        yield Objection(
            "description",
            "description",
            f"The description does not say what is sent, to whom and why: it takes {_LEAST_PROSE} characters at least.",
        )
    if len(campaign.message_flow) < _LEAST_PROSE:
        yield Objection(
            "message_flow",
            "message_flow",
            f"The message flow does not say how recipients opt in: it takes {_LEAST_PROSE} characters at least.",
        )
    yield from _of_samples(campaign)


def _of_samples(campaign: Campaign) -> Iterator[Objection]:
    field, samples = "message_samples", campaign.samples
    if len(samples) < _SAMPLES:
        yield Objection("sample_count", field, f"A campaign shows {_SAMPLES} sample messages at least.")
    for position, sample in enumerate(samples, 1):
        if len(sample) < _LEAST_SAMPLE:
            yield Objection("sample_length", field, f"Sample {position} is shorter than {_LEAST_SAMPLE} characters.")
    if not any(map(_OPT_OUT.search, samples)):
        yield Objection("opt_out_language", field, "No sample tells how to opt out, such as by: Reply STOP to opt out.")
    has_link = any(map(_LINK.search, samples))
    if has_link and not campaign.has_embedded_links:
        yield Objection("embedded_links", field, "A sample has a link, and the campaign says that none is sent.")
    if campaign.has_embedded_links and not has_link:
        yield Objection("embedded_links", field, "The campaign says that it sends links, and no sample has one.")
    if not campaign.has_embedded_phone and any(map(_PHONE.search, samples)):
        yield Objection(
            "embedded_phone", field, "A sample has a phone number, and the campaign says that none is sent."
        )


def _of_verification(asked: TollFreeVerification) -> Iterator[Objection]:
    sample = asked.production_message_sample
    if len(sample) < _LEAST_SAMPLE:
        yield Objection(
            "sample_length",
            "production_message_sample",
            f"The sample message is shorter than {_LEAST_SAMPLE} characters.",
        )
    if not asked.use_case_summary.strip():
        yield Objection("description", "use_case_summary", "The summary does not say what is sent.")
    if not asked.opt_in_image_urls:
        yield Objection("opt_in_evidence", "opt_in_image_urls", "Nothing shows how recipients opt in.")

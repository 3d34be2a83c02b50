"""What tests ask of the campaign registry."""

from typing import Any, Final

BRAND: Final[dict[str, Any]] = {
    "name": "Acme",
    "company_name": "Acme Corporation",
    "contact_email": "compliance@acme.example",
    "contact_phone": "+15551230000",
    "ein_issuing_country": "US",
    "legal_entity_type": "PRIVATE_PROFIT",
    "ein": "12-3456789",
    "company_address": "123 Main St, Anytown, CA, 90210, US",
    "company_vertical": "RETAIL",
    "company_website": "https://acme.example",
}
CAMPAIGN: Final[dict[str, Any]] = {
    "name": "Orders",
    "sms_use_case": "CUSTOMER_CARE",
    "description": "Messages about orders to customers who asked for them in our shop.",
    "sample1": "Acme: your order 1234 was sent today. Reply STOP to opt out.",
    "sample2": "Acme: your order 1234 has arrived. Reply STOP to opt out.",
    "message_flow": "Customers tick a box in the shop's checkout to be told of their order by text message.",
    "opt_out_message": "You will hear no more of us.",
    "help_message": "Write to help@acme.example for help.",
    "opt_out_keywords": "STOP,END",
    "number_pooling_required": False,
    "direct_lending": False,
    "embedded_link": False,
    "embedded_phone": False,
    "age_gated_content": False,
    "lead_generation": False,
    "terms_and_conditions": True,
}
GUIDE_BRAND: Final[dict[str, Any]] = {
    "legal_name": "Acme Corporation",
    "ein": "12-3456789",
    "business_type": "corporation",
    "email": "compliance@acme.example",
    "phone": "+15551234567",
    "address": {
        "street": "123 Main St",
        "city": "Anytown",
        "state": "CA",
        "postal_code": "90210",
        "country": "US",
    },
}
GUIDE_CAMPAIGN: Final[dict[str, Any]] = {
    "use_case": "appointment_reminders",
    "description": "Appointment reminders and confirmations",
    "sample_messages": ["Your appointment is tomorrow at 2 PM.", "Reply CONFIRM to confirm your appointment."],
    "message_volume": "1000-10000",
    "opt_in_workflow": "Customers opt in at registration",
    "opt_out_keywords": ["STOP", "UNSUBSCRIBE"],
}

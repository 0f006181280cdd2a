"""The names that pages give to their fields, in English and Russian, and the canonical ones.

A form's own mapping goes before this table: it is for the pages that nobody wrote a mapping for.
"""

import unicodedata
from functools import lru_cache
from itertools import dropwhile

CANONICAL = frozenset({"name", "phone", "email", "company", "message", "consent"})
"""What Leadline itself understands. Every other field is custom."""

NAME_PARTS = ("given_name", "patronymic", "family_name")
"""Understood too, and put together into `name`, in this order."""

_SPELLINGS = {
    "name": """
        name full_name your_name your_full_name fio contact_name contact_person customer_name
        client_name person_name lead_name name_surname
        имя фио ф_и_о ваше_имя ваше_фио имя_и_фамилия фамилия_и_имя имя_фамилия фамилия_имя
        фамилия_имя_отчество как_вас_зовут как_к_вам_обращаться как_к_вам_можно_обращаться
        контактное_лицо имя_клиента
    """,
    "given_name": "first_name given_name fname forename name_first your_first_name",
    "patronymic": "middle_name patronymic patronymic_name name_middle отчество",
    "family_name": """
        last_name family_name lname surname second_name name_last your_last_name фамилия
    """,
    "phone": """
        phone phone_number phone_numbers phone_no telephone telephone_number tel tel_number your_tel
        your_phone your_phone_number mobile mobile_phone mobile_number cell cell_phone contact_phone
        contact_number contact_tel customer_phone client_phone user_phone work_phone
        work_phone_number business_phone phone_1 msisdn
        телефон тел номер_телефона ваш_телефон ваш_номер_телефона ваш_номер контактный_телефон
        контактный_номер телефон_для_связи номер_для_связи номер_мобильного_телефона мобильный
        мобильный_телефон сотовый сотовый_телефон моб_телефон телефон_клиента
    """,
    "email": """
        email e_mail mail email_address e_mail_address mail_address your_email your_e_mail your_mail
        your_email_address work_email business_email contact_email customer_email client_email
        user_email replyto
        почта электронная_почта эл_почта имейл емейл емэйл емайл имэйл адрес_электронной_почты
        электронный_адрес ваш_email ваш_e_mail ваша_почта ваша_электронная_почта
    """,
    "company": """
        company company_name your_company organization organisation organization_name
        organisation_name business_name
        компания название_компании наименование_компании ваша_компания организация
        название_организации наименование_организации фирма
    """,
    "message": """
        message your_message message_text msg comment comments your_comment comment_text text
        question your_question details enquiry inquiry description request how_can_we_help
        сообщение ваше_сообщение текст_сообщения комментарий комментарии ваш_комментарий
        вопрос ваш_вопрос текст текст_вопроса задача описание_задачи опишите_задачу пожелания
        ваши_пожелания примечание
    """,
    "consent": """
        consent agree agreement i_agree acceptance accept gdpr gdpr_consent privacy privacy_policy
        privacy_consent accept_terms accept_privacy agree_terms agree_privacy personal_data
        personal_data_consent your_consent i_agree_to_the_privacy_policy
        i_accept_the_privacy_policy
        согласие согласен согласна я_согласен я_согласна политика политика_конфиденциальности
        согласие_на_обработку_персональных_данных обработка_персональных_данных
        согласие_с_политикой_конфиденциальности согласие_на_обработку_данных
        даю_согласие_на_обработку_персональных_данных
        я_даю_согласие_на_обработку_персональных_данных
        согласен_на_обработку_персональных_данных согласен_с_политикой_конфиденциальности
    """,
}
"""False friends are missing: `policy` may be an insurance's, `username` a login, `почтовый_адрес` a
street; a wrong guess would make a consent of what is none."""

_ENVELOPES = frozenset(
    {
        "data",
        "fields",
        "field_data",
        "form",
        "form_data",
        "form_fields",
        "answers",
        "contact",
        "lead",
    }
    | {"customer", "person", "payload", "params", "body", "submission", "values", "properties"}
    | {"entry", "record"}
)
"""What machines wrap the fields of a form in: `data.phone`, `payload[data][phone]`."""


def dotted(key: str) -> str:
    """PHP's brackets as a path: `fields[tel][value]` is `fields.tel.value`, `topics[]` `topics`."""
    if "[" not in key:
        return key
    return key.replace("[]", "").replace("][", ".").replace("[", ".").replace("]", "")


def unwrapped(key: str) -> str:
    """A key without the envelopes that it came in: `data.contact.phone` is `phone`."""
    *outer, last = dotted(key).split(".")
    inner = list(dropwhile(lambda part: part.lower() in _ENVELOPES, outer))
    return key if len(inner) == len(outer) else ".".join((*inner, last))


@lru_cache(maxsize=1024)
def folded(key: str) -> str:
    """What is left of a key when case, spaces and punctuation do not count: `E-mail` -> `email`."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", key).casefold()))


_CANONICAL_OF = {
    folded(spelling): name for name, text in _SPELLINGS.items() for spelling in text.split()
}


def canonical_name(key: str) -> str | None:
    """The canonical name or name part that a key means; None for a custom field."""
    if len(key) > 100:
        return None
    return _CANONICAL_OF.get(folded(key)) or _CANONICAL_OF.get(folded(unwrapped(key)))

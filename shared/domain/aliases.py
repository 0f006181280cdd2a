"""The names that pages give to their fields, in English and Russian, and the canonical ones.

A form's own mapping goes before this table: it is for the pages that nobody wrote a mapping for.
"""

import unicodedata
from functools import lru_cache

CANONICAL = frozenset({"name", "phone", "email", "company", "message", "consent"})
"""What Leadline itself understands. Every other field is custom."""

NAME_PARTS = ("given_name", "patronymic", "family_name")
"""Understood too, and put together into `name`, in this order."""

_SPELLINGS = {
    "name": """
        name full_name your_name fio contact_name customer_name client_name person_name
        имя фио ф_и_о ваше_имя имя_и_фамилия фамилия_и_имя фамилия_имя_отчество
        как_вас_зовут как_к_вам_обращаться контактное_лицо
    """,
    "given_name": "first_name given_name fname forename",
    "patronymic": "middle_name patronymic отчество",
    "family_name": "last_name family_name lname surname second_name фамилия",
    "phone": """
        phone phone_number phone_numbers telephone telephone_number tel your_tel your_phone mobile
        mobile_phone mobile_number cell cell_phone contact_phone phone_1 msisdn
        телефон тел номер_телефона ваш_телефон контактный_телефон телефон_для_связи
        мобильный мобильный_телефон сотовый сотовый_телефон моб_телефон
    """,
    "email": """
        email e_mail mail email_address e_mail_address mail_address your_email your_e_mail your_mail
        work_email business_email contact_email replyto
        почта электронная_почта эл_почта имейл емейл емайл адрес_электронной_почты
        ваш_email ваш_e_mail ваша_почта
    """,
    "company": """
        company company_name your_company organization organisation organization_name business_name
        компания название_компании ваша_компания организация название_организации фирма
    """,
    "message": """
        message your_message comment comments your_comment text question your_question details
        enquiry inquiry description request how_can_we_help
        сообщение ваше_сообщение текст_сообщения комментарий комментарии ваш_комментарий
        вопрос ваш_вопрос текст текст_вопроса задача описание_задачи
    """,
    "consent": """
        consent agree agreement i_agree acceptance accept gdpr privacy privacy_policy policy terms
        accept_terms personal_data your_consent
        согласие согласен согласна я_согласен политика
        согласие_на_обработку_персональных_данных обработка_персональных_данных
    """,
}


@lru_cache(maxsize=1024)
def folded(key: str) -> str:
    """What is left of a key when case, spaces and punctuation do not count: `E-mail` -> `email`."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", key).casefold()))


_CANONICAL_OF = {
    folded(spelling): name for name, text in _SPELLINGS.items() for spelling in text.split()
}


def canonical_name(key: str) -> str | None:
    """The canonical name or name part that a key means; None for a custom field."""
    return _CANONICAL_OF.get(folded(key)) if len(key) <= 100 else None

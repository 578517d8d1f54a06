"""Path converters for public ids: a malformed id is a 404 before any view runs."""


class TokenId:
    """The id of a token, such as `SU-160-984-311`."""

    regex = r"SU-[0-9]{3}-[0-9]{3}-[0-9]{3}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class RuleId(TokenId):
    """The id of an IP rule, such as `IPR-160-984-311`."""

    regex = r"IPR-[0-9]{3}-[0-9]{3}-[0-9]{3}"


class WebhookId(TokenId):
    """The id of a webhook, such as `WH-160-984-311`."""

    regex = r"WH-[0-9]{3}-[0-9]{3}-[0-9]{3}"


class ExtensionId(TokenId):
    """The id of an extension, such as `EXT-651-883`; that of Custom is `EXT-000`."""

    regex = r"EXT-[0-9]{3}(?:-[0-9]{3})?"


class DeliveryId(TokenId):
    """The id of a delivery of a webhook, such as `WHD-1609-8431-1774`."""

    regex = r"WHD-[0-9]{4}-[0-9]{4}-[0-9]{4}"

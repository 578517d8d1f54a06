"""ActorField keeps who did something in two text columns."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import isolate_apps

from portal.fields import Actor, ActorField
from tests.factories import UserFactory


@pytest.fixture
def deed(db: None) -> Iterator[Any]:
    """Make a model with the field, in a table of its own."""
    with isolate_apps("portal"):

        class Deed(models.Model):  # noqa: DJ008
            maker = ActorField("made by")

            class Meta:
                app_label = "portal"

        with connection.schema_editor() as editor:
            editor.create_model(Deed)
        yield Deed
        with connection.schema_editor() as editor:
            editor.delete_model(Deed)


pytestmark = pytest.mark.django_db(transaction=True)


def test_the_field_is_two_columns_of_text(deed: Any) -> None:
    assert [field.name for field in deed._meta.fields] == ["id", "maker_id", "maker_name"]
    assert not [field for field in deed._meta.fields if field.is_relation]


def test_a_row_keeps_the_name_of_then_and_outlives_the_person(deed: Any) -> None:
    user = UserFactory(name="Michael Goldmill")
    row = deed.objects.create(maker=user)
    user.name = "Mickey"
    user.save()
    user.delete()
    row.refresh_from_db()
    assert row.maker == Actor(row.maker_id, "Michael Goldmill")
    assert str(row.maker) == f"Michael Goldmill ({row.maker_id})"
    assert deed.objects.filter(maker_id=row.maker_id).values("maker_id", "maker_name").get() == {
        "maker_id": row.maker_id,
        "maker_name": "Michael Goldmill",
    }


def test_a_row_without_an_actor_reads_as_none(deed: Any) -> None:
    row = deed.objects.create()
    assert row.maker is None
    row.maker = Actor("UR-1", "Somebody")
    row.maker = None
    assert (row.maker_id, row.maker_name) == ("", "")


def test_an_update_names_the_columns(deed: Any) -> None:
    row = deed.objects.create(maker=Actor("UR-1", "One"))
    deed.objects.update(**ActorField.columns("maker", Actor("SU-2", "Two")))
    row.refresh_from_db()
    assert row.maker == Actor("SU-2", "Two")

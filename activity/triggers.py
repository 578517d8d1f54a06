"""What makes the trail append-only in the database itself, whoever asks it.

An entry may be deleted only when its chain says that it is forgotten: no stray `delete()` meets
that condition, `manage.py forget_activity` does. An empty table may be truncated, as tests do.

SQLite loses triggers when Django makes a table anew to alter it: such a migration of `Event` ends
with `AppendOnly()` once more.
"""

from typing import Any

from django.db.migrations.operations.base import Operation

KEPT = "NOT EXISTS (SELECT 1 FROM activity_chain WHERE account = OLD.account AND forgotten >= OLD.number)"

SQLITE = (
    """CREATE TRIGGER IF NOT EXISTS activity_event_update BEFORE UPDATE ON activity_event
    BEGIN SELECT RAISE(ABORT, 'activity_event is append-only'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS activity_event_delete BEFORE DELETE ON activity_event WHEN {KEPT}
    BEGIN SELECT RAISE(ABORT, 'activity_event is append-only'); END""",
)
POSTGRESQL = (
    f"""CREATE OR REPLACE FUNCTION activity_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF NOT ({KEPT}) THEN RETURN OLD; END IF;
        ELSIF TG_OP = 'TRUNCATE' THEN
            IF NOT EXISTS (SELECT 1 FROM activity_event) THEN RETURN NULL; END IF;
        END IF;
        RAISE EXCEPTION 'activity_event is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$""",  # noqa: S608 (nothing of it comes from outside)
    """CREATE OR REPLACE TRIGGER activity_event_rows BEFORE UPDATE OR DELETE ON activity_event
    FOR EACH ROW EXECUTE FUNCTION activity_event_refuse()""",
    """CREATE OR REPLACE TRIGGER activity_event_truncate BEFORE TRUNCATE ON activity_event
    FOR EACH STATEMENT EXECUTE FUNCTION activity_event_refuse()""",
)
STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
REMOVED = {
    "sqlite": ("DROP TRIGGER activity_event_update", "DROP TRIGGER activity_event_delete"),
    "postgresql": ("DROP FUNCTION activity_event_refuse CASCADE",),
}


class AppendOnly(Operation):
    """Make the database refuse changes of the trail."""

    reversible = True
    reduces_to_sql = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        return None

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in STATEMENTS[schema_editor.connection.vendor]:
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in REMOVED[schema_editor.connection.vendor]:
            schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        return "Make the trail append-only"

"""Triggers that make the trail append-only in the database itself, for every client.

An entry can be deleted only once its chain counts it as forgotten: `manage.py forget_activity` sets
that, a stray `delete()` does not. An empty table can be truncated, which tests do.

On SQLite, a table loses its triggers when Django rebuilds it to alter it, so a migration that
alters `Event` must end with another `AppendOnly()`.
"""

from typing import Any

from django.db.migrations.operations.base import Operation

KEPT = (
    "NOT EXISTS (SELECT 1 FROM activity_chain "
    "WHERE account = OLD.account AND forgotten >= OLD.number)"
)

SQLITE = (
    """CREATE TRIGGER IF NOT EXISTS activity_event_update BEFORE UPDATE ON activity_event
    BEGIN SELECT RAISE(ABORT, 'activity_event is append-only'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS activity_event_delete BEFORE DELETE ON activity_event
    WHEN {KEPT}
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
        RAISE EXCEPTION 'activity_event is append-only'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$""",  # noqa: S608 (a constant: no input from outside)
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
    """Make the database refuse changes to the trail."""

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

"""The distinct values of an indexed column, without reading every row."""

from typing import Any

from django.db import connection, models


def newest(model: type[models.Model], column: str, number: str, **where: Any) -> dict[Any, Any]:
    """Return the greatest `number` for each value of a column, among the rows that `where` equals.

    It needs an index on the columns of `where`, `column` and `number`, in this order, of which it
    reads a few entries per value; GROUP BY would read the entries of all rows.
    """
    quote = connection.ops.quote_name
    names = {field.attname: quote(str(field.column)) for field in model._meta.concrete_fields}
    table, found, measured = quote(model._meta.db_table), names[column], names[number]
    fixed = " AND ".join(["TRUE", *(f"{names[name]} = %s" for name in where)])
    # All names are those of the model; values are parameters.
    sql = f"""
        WITH RECURSIVE step(value) AS (
            SELECT min({found}) FROM {table} WHERE {fixed}
            UNION ALL
            SELECT (SELECT min({found}) FROM {table} WHERE {fixed} AND {found} > step.value)
            FROM step WHERE step.value IS NOT NULL
        )
        SELECT value, (SELECT max({measured}) FROM {table} WHERE {fixed} AND {found} = step.value)
        FROM step WHERE value IS NOT NULL
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, 3 * [*where.values()])
        return dict(cursor.fetchall())

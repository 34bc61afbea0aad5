{# Snapshots: versions are closed by an update and opened by an insert, since `merge` is newer than many servers. #}

{% macro postgres__snapshot_merge_sql(target, source, insert_cols) -%}
  {{ _snapshot_update_and_insert(target, source, insert_cols) }}
{%- endmacro %}

{# Indexes of the `indexes` config. Their names are hashes, made by the adapter. #}

{% macro postgres__get_create_index_sql(relation, index_dict) -%}
  {%- set index = adapter.parse_index(index_dict) -%}
  create {{ 'unique ' if index.unique }}index if not exists
  "{{ index.render(relation) }}"
  on {{ relation }} {{ 'using ' ~ index.type if index.type }}
  ({{ index.columns | join(', ') }})
{%- endmacro %}

{%- macro postgres__get_drop_index_sql(relation, index_name) -%}
    drop index if exists "{{ relation.schema }}"."{{ index_name }}"
{%- endmacro -%}

{# One row for each index of a table or materialized view: name, method, unique, column_names parted by commas. #}
{% macro postgres__get_show_indexes_sql(relation) %}
    select
        idx.relname as name,
        method.amname as method,
        entry.indisunique as "unique",
        array_to_string(array_agg(col.attname), ',') as column_names
    from pg_class as owner
    inner join pg_namespace as home on home.oid = owner.relnamespace
    inner join pg_index as entry on entry.indrelid = owner.oid
    inner join pg_class as idx on idx.oid = entry.indexrelid
    inner join pg_am as method on method.oid = idx.relam
    inner join pg_attribute as col on col.attrelid = owner.oid and col.attnum = any(entry.indkey)
    where home.nspname = '{{ relation.schema }}'
      and owner.relname = '{{ relation.identifier }}'
      and owner.relkind in ('r', 'm')
    group by idx.relname, method.amname, entry.indisunique
    order by name, method, "unique"
{% endmacro %}

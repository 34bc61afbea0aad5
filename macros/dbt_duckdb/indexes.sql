{# Indexes. #}

{% macro duckdb__get_create_index_sql(relation, index_dict) -%}
  {%- set index = adapter.parse_index(index_dict) -%}
  create {{ 'unique ' if index.unique }}index "{{ index.render(relation) }}"
  on {{ relation }}
  ({{ index.columns | join(', ') }});
{%- endmacro %}

{#
  A table with indexes cannot be renamed. This runs after a commit as well, so it begins no transaction, which
  would only be rolled back.
#}
{% macro drop_indexes_on_relation(relation) -%}
  {%- call statement('get_indexes_on_relation', fetch_result=True, auto_begin=False) -%}
    SELECT index_name
    FROM duckdb_indexes()
    WHERE database_name = '{{ relation.database }}'
      AND schema_name = '{{ relation.schema }}'
      AND table_name = '{{ relation.identifier }}'
  {%- endcall -%}
  {%- for row in load_result('get_indexes_on_relation').table -%}
    {%- call statement('drop_index_' ~ loop.index, auto_begin=False) -%}
      DROP INDEX "{{ relation.database }}"."{{ relation.schema }}"."{{ row[0] }}"
    {%- endcall -%}
  {%- endfor -%}
{%- endmacro %}

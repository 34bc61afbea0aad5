{# Listing, dropping and renaming relations, and where temporary ones live. #}

{% macro duckdb__list_relations_without_caching(schema_relation) %}
  {%- call statement('list_relations_without_caching', fetch_result=True) -%}
    select
      '{{ schema_relation.database }}' as database,
      table_name as name,
      table_schema as schema,
      CASE table_type
        WHEN 'BASE TABLE' THEN 'table'
        WHEN 'VIEW' THEN 'view'
        WHEN 'LOCAL TEMPORARY' THEN 'table'
        END as type
    from system.information_schema.tables
    where lower(table_schema) = '{{ schema_relation.schema | lower }}'
    and lower(table_catalog) = '{{ schema_relation.database | lower }}'
  {%- endcall -%}
  {{ return(load_result('list_relations_without_caching').table) }}
{% endmacro %}

{# DuckLake knows no cascade. #}
{% macro duckdb__drop_relation(relation) -%}
  {%- call statement('drop_relation', auto_begin=False) -%}
    drop {{ relation.type }} if exists {{ relation }}{{ ' cascade' if not adapter.is_ducklake(relation) }}
  {%- endcall -%}
{% endmacro %}

{% macro duckdb__rename_relation(from_relation, to_relation) -%}
  {%- call statement('rename_relation') -%}
    alter {{ to_relation.type }} {{ from_relation }} rename to {{ adapter.quote_as_configured(to_relation.identifier, 'identifier') }}
  {%- endcall -%}
{% endmacro %}


{# A temporary table belongs to its connection, outside any schema; the clock keeps names apart. #}
{% macro duckdb__make_temp_relation(base_relation, suffix) %}
  {%- do return(base_relation.incorporate(path={
    'identifier': base_relation.identifier ~ suffix ~ py_current_timestring(),
    'schema': none,
    'database': none,
  })) -%}
{% endmacro %}

{#
  {'relation', 'temporary'}: where to stage rows. MotherDuck keeps temporary tables in the client, so there it is
  an ordinary table in a schema of its own, which the caller has to drop.
#}
{% macro duckdb__dispatch_temporary_relation(target_relation, batch_id='') %}
  {%- if not adapter.is_motherduck() -%}
    {%- do return({'relation': make_temp_relation(target_relation), 'temporary': true}) -%}
  {%- endif -%}

  {%- set table = target_relation.incorporate(path=adapter.get_temp_relation_path(target_relation, batch_id)) -%}
  {%- do run_query(create_schema(table)) -%}
  {%- if not adapter.disable_transactions() -%}
    {%- do adapter.commit() -%}
  {%- endif -%}
  {%- do return({'relation': table, 'temporary': false}) -%}
{% endmacro %}

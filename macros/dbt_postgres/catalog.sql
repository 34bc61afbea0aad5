{# Every relation and column of some schemas, or of some relations, with their comments and owners: what the docs show. #}

{% macro postgres__get_catalog(information_schema, schemas) -%}
  {%- set relations = [] -%}
  {%- for schema in schemas -%}
    {%- do relations.append({'schema': schema}) -%}
  {%- endfor -%}
  {{ return(postgres__get_catalog_relations(information_schema, relations)) }}
{%- endmacro %}

{# A relation without an identifier stands for its whole schema. #}
{% macro postgres__get_catalog_relations(information_schema, relations) -%}
  {%- set database = information_schema.database -%}
  {%- do adapter.verify_database(database) -%}
  {%- set choices = [] -%}
  {%- for relation in relations -%}
    {%- set in_schema = "upper(home.nspname) = upper('" ~ relation.schema ~ "')" -%}
    {%- if relation.identifier -%}
      {%- do choices.append('(' ~ in_schema ~ " and upper(rel.relname) = upper('" ~ relation.identifier ~ "'))") -%}
    {%- else -%}
      {%- do choices.append(in_schema) -%}
    {%- endif -%}
  {%- endfor -%}

  {%- call statement('catalog', fetch_result=True) -%}
    select
        '{{ database }}' as table_database,
        home.nspname as table_schema,
        rel.relname as table_name,
        case rel.relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' else 'BASE TABLE' end as table_type,
        rel_comment.description as table_comment,
        col.attname as column_name,
        col.attnum as column_index,
        pg_catalog.format_type(col.atttypid, col.atttypmod) as column_type,
        col_comment.description as column_comment,
        pg_get_userbyid(rel.relowner) as table_owner
    from pg_catalog.pg_class as rel
    inner join pg_catalog.pg_namespace as home on home.oid = rel.relnamespace
    inner join pg_catalog.pg_attribute as col on col.attrelid = rel.oid
    left join pg_catalog.pg_description as rel_comment
        on rel_comment.objoid = rel.oid and rel_comment.objsubid = 0
    left join pg_catalog.pg_description as col_comment
        on col_comment.objoid = rel.oid and col_comment.objsubid = col.attnum
    where ({{ choices | join(' or ') if choices else 'false' }})
      {#- Tables of all kinds and views; no indexes, sequences, composite types; nothing temporary. #}
      and rel.relkind in ('r', 'p', 'f', 'v', 'm')
      and rel.relpersistence in ('p', 'u')
      and not pg_is_other_temp_schema(home.oid)
      and col.attnum > 0
      and not col.attisdropped
    order by table_schema, table_name, column_index
  {%- endcall -%}
  {{ return(load_result('catalog').table) }}
{%- endmacro %}

{# Listing, dropping and renaming relations, and the working names around one. #}

{# Tables, views, materialized views and functions: one query for each catalog that holds them. #}
{% macro postgres__list_relations_without_caching(schema_relation) %}
  {%- set catalogs = [
    ('table', 'pg_tables', 'tablename'), ('view', 'pg_views', 'viewname'), ('materialized_view', 'pg_matviews', 'matviewname')
  ] -%}
  {%- call statement('list_relations_without_caching', fetch_result=True) -%}
    {% for type, catalog, name in catalogs -%}
    select
      '{{ schema_relation.database }}' as database,
      {{ name }} as name,
      schemaname as schema,
      '{{ type }}' as type
    from {{ catalog }}
    where schemaname ilike '{{ schema_relation.schema }}'
    union all
    {% endfor -%}
    select distinct
      '{{ schema_relation.database }}' as database,
      routine.proname as name,
      home.nspname as schema,
      'function' as type
    from pg_proc as routine
    inner join pg_namespace as home on home.oid = routine.pronamespace
    where home.nspname ilike '{{ schema_relation.schema }}'
  {%- endcall -%}
  {{ return(load_result('list_relations_without_caching').table) }}
{% endmacro %}


{#
  Which view reads which relation: (schema, name) of the reader, (schema, name) of what it reads. A view's query is a
  rule; the rule depends on all that it reads, and the view itself hangs on it by an internal dependency.
#}
{% macro postgres__get_relations() -%}
  {%- call statement('relations', fetch_result=True) -%}
    select distinct
        reader_schema.nspname as dependent_schema,
        reader.relname as dependent_name,
        source_schema.nspname as referenced_schema,
        source.relname as referenced_name
    from pg_class as reader
    inner join pg_namespace as reader_schema on reader_schema.oid = reader.relnamespace
    inner join pg_depend as owned
        on owned.refobjid = reader.oid
        and owned.refclassid = 'pg_class'::regclass
        and owned.classid = 'pg_rewrite'::regclass
        and owned.deptype = 'i'
    inner join pg_depend as reads
        on reads.objid = owned.objid
        and reads.classid = 'pg_rewrite'::regclass
        and reads.refclassid = 'pg_class'::regclass
        and reads.refobjid <> reader.oid
    inner join pg_class as source on source.oid = reads.refobjid
    inner join pg_namespace as source_schema on source_schema.oid = source.relnamespace
    where source_schema.nspname <> 'information_schema'
      and source_schema.nspname not like 'pg\_%'
    order by dependent_schema, dependent_name, referenced_schema, referenced_name
  {%- endcall -%}
  {{ return(load_result('relations').table) }}
{% endmacro %}

{% macro postgres_get_relations() %}
  {{ return(postgres__get_relations()) }}
{% endmacro %}


{% macro postgres__drop_table(relation) -%}
  drop table if exists {{ relation }} cascade
{%- endmacro %}

{% macro postgres__drop_view(relation) -%}
  drop view if exists {{ relation }} cascade
{%- endmacro %}

{% macro postgres__drop_materialized_view(relation) -%}
  drop materialized view if exists {{ relation }} cascade
{%- endmacro %}

{% macro postgres__get_rename_table_sql(relation, new_name) -%}
  alter table {{ relation }} rename to {{ new_name }}
{%- endmacro %}

{% macro postgres__get_rename_view_sql(relation, new_name) -%}
  alter view {{ relation }} rename to {{ new_name }}
{%- endmacro %}

{% macro postgres__get_rename_materialized_view_sql(relation, new_name) -%}
  alter materialized view {{ relation }} rename to {{ new_name }}
{%- endmacro %}


{#
  The relation under its name and a suffix. The server cuts names at 63 characters without a word, which would make two
  of them one: so the name is cut here, and the suffix kept whole. With `dstring` the time keeps names apart.
#}
{% macro postgres__make_relation_with_suffix(base_relation, suffix, dstring) %}
  {%- if dstring -%}
    {%- set suffix = suffix ~ modules.datetime.datetime.now().strftime('%H%M%S%f') -%}
  {%- endif -%}
  {%- set room = base_relation.relation_max_name_length() - suffix | length -%}
  {%- if room < 0 -%}
    {%- do exceptions.raise_compiler_error(
      'Relation suffix is too long (' ~ suffix | length ~ ' characters). Maximum length is '
      ~ base_relation.relation_max_name_length() ~ ' characters.'
    ) -%}
  {%- endif -%}
  {{ return(base_relation.incorporate(path={'identifier': base_relation.identifier[:room] ~ suffix})) }}
{% endmacro %}

{% macro postgres__make_intermediate_relation(base_relation, suffix) %}
  {{ return(postgres__make_relation_with_suffix(base_relation, suffix, dstring=False)) }}
{% endmacro %}

{# A temporary table belongs to its session, outside any schema. #}
{% macro postgres__make_temp_relation(base_relation, suffix) %}
  {%- set named = postgres__make_relation_with_suffix(base_relation, suffix, dstring=True) -%}
  {{ return(named.incorporate(path={'database': none, 'schema': none})) }}
{% endmacro %}

{% macro postgres__make_backup_relation(base_relation, backup_relation_type, suffix) %}
  {%- set named = postgres__make_relation_with_suffix(base_relation, suffix, dstring=False) -%}
  {{ return(named.incorporate(type=backup_relation_type)) }}
{% endmacro %}

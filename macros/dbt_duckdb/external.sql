{# Files: where an external model's rows go, and bringing back those that this run does not build. #}

{# The default place, below the profile's external_root: a file, or a folder where the rows are partitioned. #}
{%- macro external_location(relation, config) -%}
  {{ adapter.external_root() }}/{{ relation.identifier }}
  {%- if config.get('options', {}).get('partition_by') is none %}.{{ config.get('format', 'parquet') }}{% endif -%}
{%- endmacro -%}

{% macro location_exists(location) -%}
  {%- do return(adapter.location_exists(location)) -%}
{% endmacro %}

{% macro write_to_file(relation, location, options) -%}
  {%- call statement('write_to_file') -%}
    copy {{ relation }} to '{{ location }}' ({{ options }})
  {%- endcall -%}
{% endmacro %}

{# Hands what was written to a plugin, which may register or upload it. #}
{% macro store_relation(plugin, relation, location, format, config) -%}
  {%- do adapter.store_relation(plugin, relation, adapter.get_columns_in_relation(relation), location, format, config) -%}
{% endmacro %}

{# The COPY options: `options`, with `format` and `delimiter` from the top level of the config, where they once stood. #}
{% macro render_write_options(config) -%}
  {%- set options = config.get('options', {}) -%}
  {%- if options is not mapping -%}
    {%- do exceptions.raise_compiler_error('options has to be a dictionary') -%}
  {%- endif -%}
  {%- for name in options -%}
    {%- do options.update({name: render(options[name])}) -%}
  {%- endfor -%}
  {%- for name in ['format', 'delimiter'] if config.get(name) -%}
    {%- do options.update({name: render(config.get(name))}) -%}
  {%- endfor -%}
  {%- do return(options) -%}
{%- endmacro %}


{#
  For `on-run-start`, with an in-memory database: makes the views of external models that selected nodes read and
  this run does not build, over the files that an earlier run wrote.
#}
{%- macro register_upstream_external_models() -%}
  {%- if execute -%}
    {%- set seen = [] -%}
    {%- set schemas = [] -%}
    {%- for id in selected_resources if id in graph['nodes'] -%}
      {%- for upstream_id in graph['nodes'][id]['depends_on']['nodes'] if upstream_id not in seen and upstream_id not in selected_resources -%}
        {%- do seen.append(upstream_id) -%}
        {%- set upstream = graph['nodes'].get(upstream_id) -%}
        {%- if upstream and upstream.resource_type in ('model', 'seed') and upstream.config.materialized == 'external' -%}
          {%- set relation = api.Relation.create(database=upstream['database'], schema=upstream['schema'], identifier=upstream['alias']) -%}
          {%- set location = upstream.config.get('location', external_location(relation, upstream.config)) -%}
          {%- if relation.schema not in schemas -%}
            {%- do schemas.append(relation.schema) -%}
            {%- call statement('main', language='sql') -%}
              create schema if not exists {{ relation.without_identifier() }}
            {%- endcall -%}
          {%- endif -%}
          {%- call statement('main', language='sql') -%}
            create or replace view {{ relation }} as (
              select * from '{{ adapter.external_read_location(location, render_write_options(upstream.config)) }}'
            );
          {%- endcall -%}
        {%- endif -%}
      {%- endfor -%}
    {%- endfor -%}
    {%- if schemas -%}
      {%- do adapter.commit() -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro -%}

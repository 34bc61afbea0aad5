{#
  A file with a view on it. The query's rows go into a table, the table into the file, and the view over the file
  takes the model's name. A file without rows would not tell its columns, so an empty result is written as one row
  of nulls, which the view leaves out.
#}
{%- materialization external, adapter='duckdb', supported_languages=['sql', 'python'] -%}
  {%- set language = model['language'] -%}
  {%- set location = render(config.get('location', default=external_location(this, config))) -%}
  {%- set options = render_write_options(config) -%}
  {%- set write_options = adapter.external_write_options(location, options) -%}
  {%- set read_location = adapter.external_read_location(location, options) -%}
  {%- set format = _external_format(config.get('format'), options) -%}

  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='view') -%}
  {%- set rows_relation = make_intermediate_relation(this.incorporate(type='table'), suffix='__dbt_tmp') -%}
  {%- set staged = make_intermediate_relation(target_relation, suffix='__dbt_int') -%}
  {%- set backup = make_backup_relation(target_relation, 'table' if existing is none else existing.type) -%}
  {%- set leftovers = [load_cached_relation(staged), load_cached_relation(rows_relation), load_cached_relation(backup)] -%}

  {%- for leftover in leftovers -%}
    {%- do drop_relation_if_exists(leftover) -%}
  {%- endfor -%}
  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}

  {%- call statement('create_table', language=language) -%}
    {{ create_table_as(False, rows_relation, compiled_code, language) }}
  {%- endcall -%}
  {%- set is_empty = run_query('select count(*) as row_count from ' ~ rows_relation)[0][0] == 0 -%}
  {%- set columns = get_columns_in_relation(rows_relation) if is_empty else [] -%}
  {%- call statement('main', language='sql') -%}
    {%- if is_empty -%}
      insert into {{ rows_relation }} values ({% for column in columns %}NULL,{% endfor %})
    {%- endif -%}
  {%- endcall -%}
  {%- do write_to_file(rows_relation, location, write_options) -%}

  {%- call statement('main', language='sql') -%}
    create or replace view {{ staged }} as (
      select * from read_{{ format }}('{{ read_location }}'
      {%- for name, value in _external_read_options(config, format, options).items() -%}
        , {{ name }}={{ "'" ~ value ~ "'" if value is string else value }}
      {%- endfor -%}
      )
      {% if is_empty -%}
      where 1 {% for column in columns %} AND "{{ column.column }}" is not NULL{% endfor %}
      {%- endif %}
    );
  {%- endcall -%}

  {%- if existing is not none -%}
    {%- do adapter.rename_relation(existing, backup) -%}
  {%- endif -%}
  {%- do adapter.rename_relation(staged, target_relation) -%}
  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- do adapter.commit() -%}
  {%- do drop_relation_if_exists(backup) -%}
  {%- do drop_relation_if_exists(rows_relation) -%}

  {#- `glue_register` is how the Glue plugin was asked for before `plugin` was. -#}
  {%- set plugin = 'glue|' ~ config.get('glue_database', 'default') if config.get('glue_register', default=false) else config.get('plugin') -%}
  {%- if plugin is not none -%}
    {%- do store_relation(plugin, target_relation, location, format, config) -%}
  {%- endif -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}


{# What the file is read as: the configured format, or else what it was written as. #}
{%- macro _external_format(configured, options) -%}
  {%- set readable = ['csv', 'parquet', 'json'] -%}
  {%- if configured and configured not in readable -%}
    {%- do exceptions.raise_compiler_error('An external model cannot be read back as ' ~ configured ~ ', only as ' ~ readable | join(', ')) -%}
  {%- endif -%}
  {%- set written = options['format'] | lower -%}
  {{ return(configured or (written if written in readable else 'parquet')) }}
{%- endmacro -%}

{# The reader's arguments. Text formats are told the compression, since the reader knows it by a lower-case extension only. #}
{%- macro _external_read_options(config, format, options) -%}
  {%- set given = config.get(format ~ '_read_options', {'union_by_name': False} if format == 'parquet' else {'auto_detect': True}) -%}
  {%- if format != 'parquet' and options.get('compression') and 'compression' not in given -%}
    {%- do return(dict(given, compression=options['compression'])) -%}
  {%- endif -%}
  {{ return(given) }}
{%- endmacro -%}

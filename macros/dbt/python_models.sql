{#
  The Python that follows a Python model's own code: what `dbt.ref`, `dbt.source`, `dbt.config` and `dbt.this` are
  within it. Whoever runs the model makes a `dbtObj` with a function that loads a relation as a data frame.
#}

{# A relation's name, made safe for a Python string in double quotes. #}
{% macro resolve_model_name(input_model_name) %}
  {{ return(adapter.dispatch('resolve_model_name', 'dbt')(input_model_name)) }}
{% endmacro %}

{%- macro default__resolve_model_name(input_model_name) -%}
  {{ input_model_name | string | replace('"', '\"') }}
{%- endmacro -%}


{#
  The names, the order and the code of what follows are part of `compiled_code`, which tools compare with dbt's; the
  remarks in it are our own.
#}

{# Relations by the arguments that the model writes: "model", "package.model", each with ".v2" where versioned. #}
{% macro build_ref_function(model) %}
  {%- set names = {} -%}
  {%- for used in model.refs -%}
    {%- set args = [used['package'], used['name']] if used.get('package') else [used['name']] -%}
    {%- set version = used.get('version') -%}
    {%- set relation = ref(*args, v=version) -%}
    {#- render() leaves out what --empty and --sample put around it; an overridden ref may give plain text. -#}
    {%- if relation.render is defined and relation.render is callable -%}
      {%- set relation = relation.render() -%}
    {%- endif -%}
    {%- do names.update({args | join('.') ~ ('.v' ~ version if version else ''): resolve_model_name(relation)}) -%}
  {%- endfor %}
def ref(*args, **kwargs):
    refs = {{ names | tojson }}
    key = '.'.join(args)
    version = kwargs.get("v") or kwargs.get("version")
    if version:
        key += f".v{version}"
    dbt_load_df_function = kwargs.get("dbt_load_df_function")
    return dbt_load_df_function(refs[key])

{% endmacro %}


{% macro build_source_function(model) %}
  {%- set names = {} -%}
  {%- for used in model.sources -%}
    {%- do names.update({used | join('.'): resolve_model_name(source(*used))}) -%}
  {%- endfor %}
def source(*args, dbt_load_df_function):
    sources = {{ names | tojson }}
    key = '.'.join(args)
    return dbt_load_df_function(sources[key])

{% endmacro %}


{# Only the keys that the model reads, as found when it was parsed, with the defaults that it gives. #}
{% macro build_config_dict(model) %}
  {%- set settings = {} -%}
  {%- for key, default in zip(model.config.config_keys_used, model.config.config_keys_defaults) -%}
    {%- do settings.update({key: model.config.get(key, default)}) -%}
  {%- endfor -%}
  {%- set meta = {} -%}
  {%- if model.config.meta_keys_used -%}
    {%- for key, default in zip(model.config.meta_keys_used, model.config.meta_keys_defaults) -%}
      {%- do meta.update({key: (model.config.meta or {}).get(key, default)}) -%}
    {%- endfor -%}
  {%- endif %}
config_dict = {{ settings }}
meta_dict = {{ meta }}
{% endmacro %}


{% macro py_script_postfix(model) %}
# Above: the model as it was written. Below: what it finds under the name `dbt`.
# COMMAND ----------

{{ build_ref_function(model) }}
{{ build_source_function(model) }}
{{ build_config_dict(model) }}

class config:
    def __init__(self, *args, **kwargs):
        pass

    @staticmethod
    def get(key, default=None):
        return config_dict.get(key, default)

    @staticmethod
    def meta_get(key, default=None):
        return meta_dict.get(key, default)

class this:
    """dbt.this() or dbt.this.identifier"""
    database = "{{ this.database }}"
    schema = "{{ this.schema }}"
    identifier = "{{ this.identifier }}"

    def __repr__(self):
        return '{{ resolve_model_name(this) }}'

class dbtObj:
    def __init__(self, load_df_function) -> None:
        self.source = lambda *args: source(*args, dbt_load_df_function=load_df_function)
        self.ref = lambda *args, **kwargs: ref(*args, **kwargs, dbt_load_df_function=load_df_function)
        self.config = config
        self.this = this()
        self.is_incremental = {{ is_incremental() }}

# COMMAND ----------
{{ py_script_comment() }}
{% endmacro %}

{# For an adapter to add how the script is run by hand. #}
{% macro py_script_comment() %}
{% endmacro %}

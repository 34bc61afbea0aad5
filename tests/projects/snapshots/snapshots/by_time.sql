{% snapshot by_time %}
{{ config(unique_key='id', strategy='timestamp', updated_at='changed', hard_deletes='invalidate') }}
select * from {{ ref('people') }}
{% endsnapshot %}

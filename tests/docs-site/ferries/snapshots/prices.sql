{% snapshot prices %}
{{ config(unique_key='booking_id', strategy='check', check_cols=['price', 'state']) }}
select booking_id, price, state from {{ ref('stg_bookings') }}
{% endsnapshot %}

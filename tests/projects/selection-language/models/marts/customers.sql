{{ config(materialized='incremental', tags=['nightly', 'people'], unique_key=['customer_id']) }} select * from {{ ref('stg_customers') }} left join {{ ref('orders') }} using (customer_id)

{{ config(tags=['nightly'], meta={'owner': 'anna', 'rank': 2}, group='finance') }} select o.*, c.name from {{ ref('stg_orders') }} o join {{ ref('stg_customers') }} c using (customer_id)

{{ config(materialized='ephemeral') }}
select ship, count(*) as sailings from {{ ref('sailings') }} group by 1

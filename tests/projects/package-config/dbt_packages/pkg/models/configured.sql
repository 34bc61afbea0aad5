{{ config(schema='own') }} select 1 as id

{{ config(materialized='table', tags=['t']) }} select {{ helper() }} as id

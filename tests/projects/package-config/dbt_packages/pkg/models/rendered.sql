{{ config(schema=var('own', 'own')) }} select 1 as id

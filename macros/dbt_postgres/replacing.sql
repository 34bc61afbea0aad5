{#
  Replacing a relation beside its dependents. What reads the old one is led to the new one in the same transaction: a view
  by `create or replace`, which leaves its grants, comments and readers alone; where that cannot be (a column's type
  changed, or the view is materialized), it is made anew from its saved definition with all that it had. Then the old one
  is dropped, never with `cascade`. A model of this project that cannot stay is dropped, and built again by its own SQL;
  anything else that cannot stay is named, and nothing is replaced. The config `dependents: cascade` asks for dbt's way.

  Readers are locked before what they read, as queries lock them: replacing and reading never wait for each other.
#}
{% macro postgres__replace_relation(existing, staged, target_relation, backup) %}
  {%- if existing is none or _postgres_cascades() -%}
    {{ return(default__replace_relation(existing, staged, target_relation, backup)) }}
  {%- endif -%}
  {%- set dependents = postgres_set_aside(existing, backup) -%}
  {%- do adapter.rename_relation(staged, target_relation) -%}
  {%- do postgres_hand_over(backup, target_relation, dependents) -%}
  {{ return(none) }}
{% endmacro %}

{%- macro _postgres_cascades() -%}
  {%- set choice = config.get('dependents') or (config.get('meta') or {}).get('dependents') or 'keep' -%}
  {%- if choice not in ('keep', 'cascade') -%}
    {%- do exceptions.raise_compiler_error("`dependents` is '" ~ choice ~ "': it can be 'keep' or 'cascade'") -%}
  {%- endif -%}
  {{ return(choice == 'cascade') }}
{%- endmacro -%}


{# Locks a relation and what depends on it, gives back how its dependents are made, and gives it another name, if there is one. #}
{% macro postgres_set_aside(existing, backup=none) %}
  {%- if backup -%}
    {%- do adapter.cache_renamed(existing, backup) -%}
  {%- endif -%}
  {%- call statement('set_aside', fetch_result=True) -%}
    {{ _postgres_set_aside_sql(existing, backup) }};
    select current_setting('lineal.dependents')
  {%- endcall -%}
  {{ return(load_result('set_aside').table.rows[0][0]) }}
{% endmacro %}

{#
  Leads the dependents of a relation that was set aside to the one that has its name by now, and drops it; or those of a
  column that was given another name, and drops that.
#}
{% macro postgres_hand_over(backup, target_relation, dependents, column=none) %}
  {%- if dependents == '[]' and not column -%}
    {%- call statement('drop_relation') -%}
      drop {{ backup.type | replace('_', ' ') }} {{ backup }}
    {%- endcall -%}
    {%- do adapter.cache_replaced(backup, target_relation, []) -%}
    {{ return('') }}
  {%- endif -%}
  {%- set ours = [] -%}
  {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed', 'snapshot') -%}
    {%- do ours.append(_postgres_literal(node.schema ~ '.' ~ node.alias)) -%}
    {%- if node.get('version') is not none -%}
      {#- The pointer to its latest version, which is made anew with it. -#}
      {%- set pointer = (node.config.get('latest_version_pointer') or {}).get('alias') or node.name -%}
      {%- do ours.append(_postgres_literal(node.schema ~ '.' ~ pointer)) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- call statement('hand_over', fetch_result=True) -%}
    {{ _postgres_hand_over_sql(backup, target_relation, ours, column) }};
    select current_setting('lineal.gone')
  {%- endcall -%}
  {%- do adapter.cache_replaced(backup, target_relation, fromjson(load_result('hand_over').table.rows[0][0])) -%}
{% endmacro %}

{#
  As dbt: a new column of the type takes the old one's name and values. What depends on the old one is led to the new one; what
  cannot be, also where it is no view, is never dropped, unless it is ours.
#}
{% macro postgres__alter_column_type(relation, column_name, new_column_type) -%}
  {%- if _postgres_cascades() -%}
    {{ return(default__alter_column_type(relation, column_name, new_column_type)) }}
  {%- endif -%}
  {%- set dependents = postgres_set_aside(relation) -%}
  {%- set old = column_name ~ '__dbt_alter' -%}
  {%- call statement('alter_column_type') -%}
    alter table {{ relation }} rename column {{ adapter.quote(column_name) }} to {{ adapter.quote(old) }};
    alter table {{ relation }} add column {{ adapter.quote(column_name) }} {{ new_column_type }};
    update {{ relation }} set {{ adapter.quote(column_name) }} = {{ adapter.quote(old) }}
  {%- endcall -%}
  {%- do postgres_hand_over(make_backup_relation(relation, relation.type), relation, dependents, old) -%}
{%- endmacro %}

{# Ends what `postgres_set_aside` began before the new relation was there: seeds, materialized views. #}
{% macro postgres__finish_replacement(target_relation) %}
  {%- set noted = run_query("select current_setting('lineal.dependents', true)").rows[0][0] -%}
  {%- if noted -%}
    {%- set kind = run_query("select current_setting('lineal.kind', true)").rows[0][0] -%}
    {%- do postgres_hand_over(make_backup_relation(target_relation, kind), target_relation, noted) -%}
  {%- endif -%}
{% endmacro %}


{%- macro _postgres_literal(value) -%}
  {{ return("'" ~ (value | string | replace("'", "''")) ~ "'") }}
{%- endmacro -%}

{#
  Notes in `lineal.dependents`, until the transaction ends, what has to be read while all names are as they were: of each
  view that reads the relation, at first or second hand, its definition and what it has; and of each foreign key to it.
#}
{%- macro _postgres_set_aside_sql(existing, backup=none) -%}
    begin;
    do $lineal$
    declare
      replaced constant oid := {{ _postgres_literal(existing) }}::regclass;
      path constant text := current_setting('search_path');
      locked oid[] := '{}';
      found oid[];
      alone boolean;
      one record;
    begin
      -- So that all names are written in full.
      perform set_config('search_path', 'pg_catalog', true);
      loop
        found := array[replaced];
        alone := not exists (
          select from pg_depend
          where refclassid = 'pg_class'::regclass and refobjid = replaced and deptype = 'n'
            and classid in ('pg_rewrite'::regclass, 'pg_constraint'::regclass)
        );
        if not alone then
          -- The outermost readers first, the relation itself last.
          with recursive reader(id, depth) as (
            select replaced, 0
            union
            select rule.ev_class, reader.depth + 1
            from reader
            join pg_depend as link on link.refclassid = 'pg_class'::regclass and link.refobjid = reader.id
            join pg_rewrite as rule on link.classid = 'pg_rewrite'::regclass and rule.oid = link.objid
            where link.deptype = 'n' and rule.rulename = '_RETURN' and rule.ev_class <> reader.id
          )
          select array_agg(id order by far desc, id) into found
          from (select id, max(depth) as far from reader group by id) as each_once;
        end if;
        exit when found = locked;
        locked := found;
        for one in
          select id, pg_get_userbyid(rel.relowner) as owner
          from unnest(
            case when alone then '{}' else array(
              select conrelid from pg_constraint
              where contype = 'f' and confrelid = replaced and conrelid <> replaced order by conrelid
            ) end || locked
          ) with ordinality as wanted(id, place)
          join pg_class as rel on rel.oid = wanted.id
          order by place
        loop
          begin
            -- Changes nothing, and locks this relation alone: `lock table` would lock all that a view reads.
            execute format('alter table %s owner to %I', one.id::regclass, one.owner);
          exception when insufficient_privilege then
            if one.id = replaced then
              raise;
            end if;
          end;
        end loop;
      end loop;

      perform set_config('lineal.dependents', '[]', true);
      if not alone then
        perform set_config('lineal.dependents', coalesce(jsonb_agg(to_jsonb(noted) order by place, id), '[]')::text, true)
        from (
          select
            -place as place, id, rel.relkind::text as kind, home.nspname as home, rel.relname as name, id::regclass::text as path,
            pg_get_userbyid(rel.relowner) as owner, rel.relispopulated as populated,
            rtrim(pg_get_viewdef(id), ';') as definition,
            coalesce(' with (' || array_to_string(rel.reloptions, ', ') || ')', '')
              || coalesce(' tablespace ' || quote_ident(room.spcname), '') as options,
            array(
              select distinct link.refobjid
              from pg_rewrite as rule
              join pg_depend as link on link.classid = 'pg_rewrite'::regclass and link.objid = rule.oid
              where rule.ev_class = id and rule.rulename = '_RETURN' and link.refclassid = 'pg_class'::regclass
                and link.refobjid <> id
            ) as reads,
            array(select pg_get_indexdef(indexrelid) from pg_index where indrelid = id order by indexrelid)
            || array(
              select format('comment on index %s is %L', indexrelid::regclass, obj_description(indexrelid, 'pg_class'))
              from pg_index where indrelid = id and obj_description(indexrelid, 'pg_class') is not null
            )
            || array(select pg_get_triggerdef(oid) from pg_trigger where tgrelid = id and not tgisinternal order by oid)
            || array(select pg_get_ruledef(oid) from pg_rewrite where ev_class = id and rulename <> '_RETURN' order by oid)
              as parts
          from unnest(locked) with ordinality as reader(id, place)
          join pg_class as rel on rel.oid = id
          join pg_namespace as home on home.oid = rel.relnamespace
          left join pg_tablespace as room on room.oid = rel.reltablespace
          where id <> replaced
          {% if backup -%}
          union all
          select
            0, conrelid, 'f', home.nspname, rel.relname, conrelid::regclass::text,
            conname, true, pg_get_constraintdef(key.oid), '', array[replaced], array[]::text[]
          from pg_constraint as key
          join pg_class as rel on rel.oid = conrelid
          join pg_namespace as home on home.oid = rel.relnamespace
          where contype = 'f' and confrelid = replaced and conrelid <> replaced and conparentid = 0
          {%- endif %}
        ) as noted;
      end if;

      {% if backup -%}
      execute format('alter table %s rename to %I', replaced::regclass, {{ _postgres_literal(backup.identifier) }});
      {%- endif %}
      perform set_config('lineal.kind', {{ _postgres_literal(existing.type) }}, true), set_config('search_path', path, true);
    end
    $lineal$
{%- endmacro -%}


{# `lineal.gone` lists the models that could not stay, as schema and name, in the order in which they can be built again. #}
{%- macro _postgres_hand_over_sql(backup, target_relation, ours, column=none) -%}
    do $lineal$
    declare
      replaced constant oid := {{ _postgres_literal(target_relation if column else backup) }}::regclass;
      target constant oid := {{ _postgres_literal(target_relation) }}::regclass;
      ours constant text[] := array[{{ ours | join(', ') }}]::text[];
      path constant text := current_setting('search_path');
      -- Old relations that others stand in for, or that nothing does.
      old oid[] := array[replaced];
      gone jsonb := '[]';
      blocked text[] := '{}';
      one record;
      part record;
      ddl text;
      why text;
      aside text;
    begin
      perform set_config('search_path', 'pg_catalog', true);
      for one in
        select *
        from jsonb_to_recordset(current_setting('lineal.dependents')::jsonb) as noted(
          place int, id oid, kind text, home text, name text, path text, owner text, populated boolean, definition text,
          options text, reads oid[], parts text[]
        )
        order by place, id
      loop
        continue when not one.reads && old;

        if one.kind = 'f' then
          begin
            execute format('alter table %s drop constraint %I', one.path, one.owner);
            execute format('alter table %s add constraint %I %s', one.path, one.owner, one.definition);
          exception
            when transaction_rollback or lock_not_available then
              raise;
            when others then
              if one.home || '.' || one.name = any(ours) then
                execute format('alter table %s drop constraint %I', one.path, one.owner);
              else
                blocked := blocked || format('foreign key %I of %s: %s', one.owner, one.path, sqlerrm);
              end if;
          end;
          continue;
        end if;

        -- A view reads with its owner's rights.
        if replaced = any(one.reads) and has_table_privilege(one.owner, replaced, 'select')
          and not has_table_privilege(one.owner, target, 'select')
        then
          execute format('grant select on %s to %I', target::regclass, one.owner);
        end if;

        if one.kind = 'v' then
          begin
            execute format('create or replace view %s%s as %s', one.path, one.options, one.definition);
            continue;
          exception
            when transaction_rollback or lock_not_available then
              raise;
            when others then
              null;
          end;
        end if;

        aside := left(one.name, 40) || '__lineal_' || one.id;
        begin
          execute format('alter table %s rename to %I', one.path, aside);
          for part in select indexrelid from pg_index where indrelid = one.id loop
            execute format('drop index %s', part.indexrelid::regclass);
          end loop;
          execute format(
            case one.kind when 'm' then 'create materialized view %s%s as %s with no data' else 'create view %s%s as %s' end,
            one.path, one.options, one.definition
          );
          foreach ddl in array one.parts loop
            execute ddl;
          end loop;
          for part in
            select note.description, was.attname
            from pg_description as note
            left join pg_attribute as was on was.attrelid = note.objoid and was.attnum = note.objsubid
            where note.classoid = 'pg_class'::regclass and note.objoid = one.id and (
              note.objsubid = 0
              or exists (select from pg_attribute where attrelid = one.path::regclass and attname = was.attname)
            )
          loop
            execute format(
              case when part.attname is null then 'comment on %s %s is %L' else 'comment on column %2$s.%4$I is %3$L' end,
              case one.kind when 'm' then 'materialized view' else 'view' end, one.path, part.description, part.attname
            );
          end loop;
          -- First what default privileges gave away.
          for part in
            select format('revoke all on %s from %s', one.path, who.name) as ddl
            from pg_class as rel
            cross join aclexplode(rel.relacl) as entry
            cross join lateral (
              select case entry.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(entry.grantee)) end
            ) as who(name)
            where rel.oid = one.path::regclass and entry.grantee <> rel.relowner
            union all
            select format(
              'grant %s%s on %s to %s%s', entry.privilege_type, ' (' || quote_ident(of_column.attname) || ')', one.path, who.name,
              case when entry.is_grantable then ' with grant option' end
            )
            from (
              select relowner, relacl as acl, null as attname from pg_class where oid = one.id
              union all
              select rel.relowner, col.attacl, col.attname
              from pg_attribute as col
              join pg_class as rel on rel.oid = col.attrelid
              where col.attrelid = one.id
                and exists (select from pg_attribute where attrelid = one.path::regclass and attname = col.attname)
            ) as of_column
            cross join aclexplode(of_column.acl) as entry
            cross join lateral (
              select case entry.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(entry.grantee)) end
            ) as who(name)
            where entry.grantee <> of_column.relowner
          loop
            execute part.ddl;
          end loop;
          if one.owner <> current_user then
            execute format('alter table %s owner to %I', one.path, one.owner);
          end if;
          if one.kind = 'm' and one.populated then
            execute format('refresh materialized view %s', one.path);
          end if;
          old := old || one.id;
          continue;
        exception
          when transaction_rollback or lock_not_available then
            raise;
          when others then
            why := sqlerrm;
        end;

        if one.home || '.' || one.name = any(ours) then
          execute format('alter table %s rename to %I', one.path, aside);
          old := old || one.id;
          gone := gone || jsonb_build_array(jsonb_build_array(one.home, one.name));
        else
          blocked := blocked || format('%s %s: %s', case one.kind when 'm' then 'materialized view' else 'view' end, one.path, why);
        end if;
      end loop;

      if blocked = '{}' then
        begin
          for one in
            select id, case rel.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind
            from unnest(old) with ordinality as each_old(id, place)
            join pg_class as rel on rel.oid = id
            where id <> target
            order by place desc
          loop
            execute format('drop %s %s', one.kind, one.id::regclass);
          end loop;
          {% if column -%}
          execute format('alter table %s drop column %I', target::regclass, {{ _postgres_literal(column) }});
          {%- endif %}
        exception when dependent_objects_still_exist then
          get stacked diagnostics why = pg_exception_detail;
          blocked := blocked || replace(why, replaced::regclass::text, target::regclass::text);
        end;
      end if;
      if blocked <> '{}' then
        raise exception 'cannot replace %: what depends on it cannot stay', target::regclass using
          errcode = 'dependent_objects_still_exist',
          detail = array_to_string(blocked, E'\n'),
          hint = 'Change or drop what is named, or let it be dropped as dbt does: config `dependents: cascade`.';
      end if;
      perform set_config('lineal.gone', gone::text, true), set_config('search_path', path, true);
    end
    $lineal$
{%- endmacro -%}

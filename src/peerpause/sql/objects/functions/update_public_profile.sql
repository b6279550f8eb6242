-- Replaces what the public roster shows of a mentor, all four facts at once, for the mentor, their coordinators and admins.
--
-- p_languages are BCP 47 tags (nb, en, se), ten at most; the presentation has 600 characters at most; the contact is one e-mail
-- address, phone number or https address. Empty text takes a fact away. Answers the profile as it is kept. Refuses: 22023 a value
-- the roster cannot show, 42501 not yours, PT404 no such mentor. Locks: the mentor's row.
create function peerpause.update_public_profile(
  p_mentor_id uuid,
  p_listed boolean,
  p_languages text[],
  p_presentation text,
  p_public_contact text
)
returns table (mentor_id uuid, listed boolean, languages text[], presentation text, public_contact text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_presentation constant text := nullif(btrim(replace(p_presentation, e'\r\n', e'\n'), e' \n\t'), '');
  v_contact constant text := nullif(btrim(p_public_contact), '');
begin
  perform peerpause.authorise(p_mentor_id);
  if p_listed is null then
    raise exception 'it is not said whether the mentor wants to be listed'
      using errcode = '22023', hint = 'Pass p_listed as true or false.';
  end if;
  perform peerpause.require_languages(p_languages);
  if char_length(v_presentation) > 600 then
    raise exception 'the presentation is longer than 600 characters' using errcode = '22023', hint = 'Shorten it.';
  end if;
  if peerpause.has_hidden_characters(replace(v_presentation, e'\n', '')) then
    raise exception 'the presentation holds characters that cannot be seen'
      using errcode = '22023', hint = 'Write plain text; line breaks are fine.';
  end if;
  perform peerpause.require_public_contact(v_contact);
  return query
  update public.peer_mentors as p
  set listed = p_listed, languages = p_languages, presentation = v_presentation, public_contact = v_contact
  where p.id = p_mentor_id
  returning p.id, p.listed, p.languages, p.presentation, p.public_contact;
end
$$;

create function public.update_public_profile(
  p_mentor_id uuid,
  p_listed boolean,
  p_languages text[],
  p_presentation text,
  p_public_contact text
)
returns table (mentor_id uuid, listed boolean, languages text[], presentation text, public_contact text)
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select u.*
  from peerpause.update_public_profile(p_mentor_id, p_listed, p_languages, p_presentation, p_public_contact) as u;
end
$$;

-- Refuses (22023) languages that are not up to ten different BCP 47 tags.
create function peerpause.require_languages(p_languages text[])
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    p_languages is null
    or coalesce(array_ndims(p_languages), 1) <> 1
    or cardinality(p_languages) > 10
    or (select count(distinct lower(l.tag)) from unnest(p_languages) as l (tag)) <> cardinality(p_languages)
    or exists (
      select from unnest(p_languages) as l (tag) where l.tag !~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'
    )
  then
    raise exception 'the languages are not a list of language tags'
      using errcode = '22023', hint = 'Pass at most ten different tags, for example {nb,en,se}.';
  end if;
end
$$;

-- Refuses (22023) a contact that is no single e-mail address, phone number or https address. Null is no contact.
create function peerpause.require_public_contact(p_contact text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    char_length(p_contact) > 200
    or peerpause.has_hidden_characters(p_contact)
    or not (
      p_contact ~* '^[^\s@<>"''/:\\]+@[a-z0-9-]+(\.[a-z0-9-]+)+$'
      or (p_contact ~ '^\+?[0-9(][0-9 ()-]{3,}$' and char_length(regexp_replace(p_contact, '[^0-9]', '', 'g')) between 5 and 15)
      or p_contact ~* '^https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[^\s<>"'']*)?$'
    )
  then
    raise exception 'the contact is neither an e-mail address, nor a phone number, nor an https address'
      using errcode = '22023', hint = 'Give one of them, at most 200 characters, or leave it empty.';
  end if;
end
$$;

-- Whether a text holds control characters, or such as turn the direction of writing or cannot be seen: with them a page can be
-- made to show something else than it says.
create function peerpause.has_hidden_characters(p_text text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(p_text ~ '[\u0001-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]', false);
end
$$;

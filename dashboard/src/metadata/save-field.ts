/** Writes a custom field with the kinds of objects that have it. */
import { http } from "~/api/client";
import type { Entity, Field, FieldType, Link } from "./fields";

/** Where a field is required: in all of the organisation, and in single projects. */
export interface Required {
  organisation: boolean;
  projects: number[];
}

export interface Draft {
  name: string;
  type: FieldType;
  description: string;
  /** Of one project, or of the organisation. */
  project: number | null;
  /** The kinds that have it, with where they must say something in it. */
  entities: Partial<Record<Entity, Required>>;
}

interface Kinds {
  organisation: number;
  types: { id: number; model: string }[];
}

function idOf({ types }: Kinds, model: string): number {
  return types.find((type) => type.model === model)?.id ?? 0;
}

export function linkOf(field: Field | undefined, kinds: Kinds, entity: Entity): Link | undefined {
  const id = idOf(kinds, entity);
  return field?.model_fields.find((one) => one.content_type === id);
}

export function requiredIn(link: Link, kinds: Kinds): Required {
  const project = idOf(kinds, "project");
  const projects = link.is_required_for.filter((place) => place.content_type === project);
  return {
    organisation: projects.length < link.is_required_for.length,
    projects: projects.map((place) => place.object_id),
  };
}

function placesOf({ organisation, projects }: Required, kinds: Kinds) {
  const everywhere = { content_type: idOf(kinds, "organisation"), object_id: kinds.organisation };
  return [
    ...(organisation ? [everywhere] : []),
    ...projects.map((object_id) => ({ content_type: idOf(kinds, "project"), object_id })),
  ];
}

const LINKS = "/api/v1/organisations/{organisation_id}/metadata-model-fields/";

/** Gives the field to an entity, changes where it is required there, or takes it away. */
async function saveLink(
  field: Field,
  kinds: Kinds,
  entity: Entity,
  required: Required | undefined,
): Promise<void> {
  const path = { organisation_id: kinds.organisation };
  const present = linkOf(field, kinds, entity);
  if (!required) {
    if (present)
      await http.DELETE("/api/v1/organisations/{organisation_id}/metadata-model-fields/{id}/", {
        params: { path: { ...path, id: present.id } },
      });
    return;
  }
  const is_required_for = placesOf(required, kinds);
  if (present)
    await http.PATCH("/api/v1/organisations/{organisation_id}/metadata-model-fields/{id}/", {
      params: { path: { ...path, id: present.id } },
      body: { is_required_for },
    });
  else
    await http.POST(LINKS, {
      params: { path },
      body: { field: field.id, content_type: idOf(kinds, entity), is_required_for },
    });
}

/** After a refusal `field` is what was made so far, so that another try goes on from there. */
export async function saveField(
  draft: Draft,
  kinds: Kinds,
  field: Field | undefined,
  onSaved: (field: Field) => void,
): Promise<void> {
  const words = { name: draft.name.trim(), type: draft.type, description: draft.description || null };
  const { data } = field
    ? await http.PATCH("/api/v1/metadata/fields/{id}/", { params: { path: { id: field.id } }, body: words })
    : await http.POST("/api/v1/metadata/fields/", {
        body: { ...words, organisation: kinds.organisation, project: draft.project },
      });
  if (!data) throw new Error("The server answered with nothing.");
  onSaved(data);
  for (const entity of ["feature", "segment", "environment"] as const)
    await saveLink(data, kinds, entity, draft.entities[entity]);
}

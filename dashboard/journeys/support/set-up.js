// The first pages that a fresh installation shows, gone through as its administrator does.
import { client } from "./server.js";

export const PASSWORD = "correct-horse-1";

/** Makes the administrator, an organisation and a project; the world knows them then, and the page shows the features. */
export async function setUp(world, { email, organisation, project }) {
  const { page, server } = world;
  await page.goto("/");
  await page.getByLabel("Your e-mail address").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create the administrator" }).click();
  await page.getByLabel("Organisation").fill(organisation);
  await page.getByLabel("Project").fill(project);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("button", { name: "To the features" }).click();
  await page.getByRole("link", { name: "welcome_message" }).waitFor();
  const { key: token } = await client(server)("POST", "/auth/login/", { email, password: PASSWORD });
  world.call = client(server, token);
  const [made] = await world.call("GET", `/organisations/`).then(({ results }) => results);
  const [first] = await world.call("GET", `/projects/?organisation=${made.id}`);
  const { results: environments } = await world.call("GET", `/environments/?project=${first.id}`);
  const [{ api_key: key }] = environments;
  const at = `/project/${first.id}/environment/${key}`;
  Object.assign(world, { organisation: made.id, project: first.id, environments, key, at });
}

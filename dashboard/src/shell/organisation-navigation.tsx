/** The pages of an organisation, at the side. */
import { Stack } from "@mantine/core";
import { AT, useOrganisationPages } from "~/organisation/pages";
import { PageGroup, PageLink } from "./page-links";

interface NavigationProps {
  organisation: number;
  onFollow: () => void;
}

export function OrganisationNavigation({ organisation, onFollow }: NavigationProps) {
  const groups = useOrganisationPages(organisation);
  return (
    <Stack gap="lg" component="nav" aria-label="Pages">
      {groups.map(({ group, pages }) => (
        <PageGroup key={group} name={group}>
          {pages.map(({ name, to, icon }) => (
            <PageLink
              key={name}
              link={{
                to,
                params: { organisation: String(organisation) },
                activeOptions: { exact: to === AT },
              }}
              name={name}
              icon={icon}
              onFollow={onFollow}
            />
          ))}
        </PageGroup>
      ))}
    </Stack>
  );
}

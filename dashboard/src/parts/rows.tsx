/** A list as a table on a sheet, page by page. */
import { Paper, Table } from "@mantine/core";
import type { ComponentProps, ReactNode } from "react";
import { Pager } from "./pager";

interface RowsProps {
  /** The heads of the columns. */
  head: ReactNode;
  /** The rows. */
  children: ReactNode;
  /** Without it everything there is is shown. */
  pager?: ComponentProps<typeof Pager>;
}

export function Rows({ head, children, pager }: RowsProps) {
  return (
    <>
      <Paper style={{ overflow: "hidden" }}>
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>{head}</Table.Tr>
          </Table.Thead>
          <Table.Tbody>{children}</Table.Tbody>
        </Table>
      </Paper>
      {pager && <Pager {...pager} />}
    </>
  );
}

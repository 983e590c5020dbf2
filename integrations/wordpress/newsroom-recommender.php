<?php
/**
 * Plugin Name: Newsroom Recommender
 * Description: Related stories under every story, made on the server, and every story sent to the recommender when it is published, changed or withdrawn.
 * Version: 0.1.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * License: MIT
 *
 * The settings are under Settings > Newsroom Recommender. These constants of wp-config.php stand over them:
 *
 *     define( 'NEWSROOM_RECOMMENDER_URL', 'http://127.0.0.1:8000' );
 *     define( 'NEWSROOM_RECOMMENDER_KEY', '...' );  // what "recommender keys add wordpress --scope write" printed
 *
 * Filters: newsroom_recommender_record( array $record, WP_Post $post ), newsroom_recommender_html( string $html, int $post_id ).
 * Action: newsroom_recommender_purged( string[] $article_ids ), for page caches.
 */

namespace NewsroomRecommender;

defined( 'ABSPATH' ) || exit;

const OPTION       = 'newsroom_recommender';
const KEY_OPTION   = 'newsroom_recommender_key';
const PURGED       = 'newsroom_recommender_purged_ids';
const PROBLEM      = 'newsroom_recommender_problem';
const SENT_META    = '_newsroom_recommender_id';
const SEND_HOOK    = 'newsroom_recommender_send';
const KEPT_SECONDS = 86400;  // a list is shown for a day where no newer one can be had
const AGAIN_AFTER  = 30;
const MOST_TRIES   = 12;
const MOST_BYTES   = 262144;

/* ---------------------------------------------------------------- settings */

function settings(): array {
	$defaults = array(
		'url'     => '',
		'k'       => 5,
		'heading' => 'Related stories',
		'append'  => false,
		'timeout' => 1.0,
		'types'   => array( 'post' ),
	);
	$settings = array_merge( $defaults, array_intersect_key( (array) get_option( OPTION, array() ), $defaults ) );
	if ( defined( 'NEWSROOM_RECOMMENDER_URL' ) ) {
		$settings['url'] = \NEWSROOM_RECOMMENDER_URL;
	}
	$settings['url'] = rtrim( (string) $settings['url'], '/' );
	return $settings;
}

function write_key(): string {
	return defined( 'NEWSROOM_RECOMMENDER_KEY' ) ? (string) \NEWSROOM_RECOMMENDER_KEY : (string) get_option( KEY_OPTION, '' );
}

function clean_settings( $given ): array {
	$given = is_array( $given ) ? $given : array();
	$url   = esc_url_raw( trim( (string) ( $given['url'] ?? '' ) ), array( 'http', 'https' ) );
	$types = array_map( 'sanitize_key', preg_split( '/[\s,]+/', (string) ( $given['types'] ?? 'post' ), -1, PREG_SPLIT_NO_EMPTY ) );
	return array(
		'url'     => rtrim( $url, '/' ),
		'k'       => max( 1, min( 20, (int) ( $given['k'] ?? 5 ) ) ),
		'heading' => sanitize_text_field( (string) ( $given['heading'] ?? '' ) ),
		'append'  => ! empty( $given['append'] ),
		'timeout' => max( 0.2, min( 5.0, (float) ( $given['timeout'] ?? 1.0 ) ) ),
		'types'   => $types ? array_values( $types ) : array( 'post' ),
	);
}

/** A key is never shown, so an empty field means: keep it. */
function clean_key( $given ): string {
	$given = trim( (string) $given );
	return '' !== $given && preg_match( '/^[\x21-\x7e]{8,200}$/', $given ) ? $given : (string) get_option( KEY_OPTION, '' );
}

function register_settings(): void {
	add_option( KEY_OPTION, '', '', false );
	register_setting( OPTION, OPTION, array( 'sanitize_callback' => __NAMESPACE__ . '\clean_settings' ) );
	register_setting( OPTION, KEY_OPTION, array( 'sanitize_callback' => __NAMESPACE__ . '\clean_key' ) );
}

function add_page(): void {
	add_options_page( 'Newsroom Recommender', 'Newsroom Recommender', 'manage_options', OPTION, __NAMESPACE__ . '\show_page' );
}

function field( string $label, string $input ): void {
	echo '<tr><th scope="row">' . esc_html( $label ) . '</th><td>' . $input . '</td></tr>'; // phpcs:ignore -- $input is escaped where it is made.
}

/** The page is saved by WordPress' own options.php, which checks the nonce of settings_fields() and the capability again. */
function show_page(): void {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	$now   = settings();
	$fixed = defined( 'NEWSROOM_RECOMMENDER_URL' ) ? ' disabled' : '';
	$name  = static function ( string $field ): string {
		return 'name="' . esc_attr( OPTION . '[' . $field . ']' ) . '"';
	};
	echo '<div class="wrap"><h1>Newsroom Recommender</h1><form method="post" action="options.php">';
	settings_fields( OPTION );
	echo '<table class="form-table" role="presentation">';
	field( 'Address of the service', '<input type="url" class="regular-text" ' . $name( 'url' ) . ' value="' . esc_attr( $now['url'] ) . '"' . $fixed . '>' );
	$told = defined( 'NEWSROOM_RECOMMENDER_KEY' ) ? 'set in wp-config.php' : ( '' === write_key() ? 'none yet' : 'kept; leave empty to keep it' );
	field( 'Write key', '<input type="password" class="regular-text" autocomplete="new-password" name="' . esc_attr( KEY_OPTION ) . '" value=""' . ( defined( 'NEWSROOM_RECOMMENDER_KEY' ) ? ' disabled' : '' ) . '> ' . esc_html( $told ) );
	field( 'Stories in a list', '<input type="number" min="1" max="20" ' . $name( 'k' ) . ' value="' . esc_attr( (string) $now['k'] ) . '">' );
	field( 'Heading', '<input type="text" class="regular-text" ' . $name( 'heading' ) . ' value="' . esc_attr( $now['heading'] ) . '">' );
	field( 'Under every story', '<input type="checkbox" value="1" ' . $name( 'append' ) . ( $now['append'] ? ' checked' : '' ) . '>' );
	field( 'Seconds to wait for a list', '<input type="number" min="0.2" max="5" step="0.1" ' . $name( 'timeout' ) . ' value="' . esc_attr( (string) $now['timeout'] ) . '">' );
	field( 'Types of posts', '<input type="text" class="regular-text" ' . $name( 'types' ) . ' value="' . esc_attr( implode( ', ', $now['types'] ) ) . '">' );
	echo '</table>';
	submit_button();
	echo '</form>';
	$problem = get_option( PROBLEM );
	if ( is_array( $problem ) ) {
		echo '<p>Last problem, ' . esc_html( gmdate( 'Y-m-d H:i', (int) $problem['at'] ) ) . ' UTC: ' . esc_html( $problem['what'] ) . '</p>';
	}
	echo '</div>';
}

/* ---------------------------------------------------------------- talking to the service */

/**
 * The id of a story: its address as the service writes it, so that a story read from an export, a feed or the page itself is the same one.
 */
function article_id( string $permalink ): string {
	$parts = wp_parse_url( $permalink );
	if ( empty( $parts['host'] ) ) {
		return $permalink;
	}
	$scheme = strtolower( $parts['scheme'] ?? 'https' );
	$port   = isset( $parts['port'] ) && ( 'http' === $scheme ? 80 : 443 ) !== (int) $parts['port'] ? ':' . $parts['port'] : '';
	$path   = rtrim( $parts['path'] ?? '', '/' );
	$path   = preg_replace_callback( '/[^\x21-\x7e]/', static fn( $found ) => rawurlencode( $found[0] ), $path );
	$path   = preg_replace_callback( '/%[0-9a-f]{2}/i', static fn( $found ) => strtoupper( $found[0] ), $path );
	$query  = isset( $parts['query'] ) && '' !== $parts['query'] ? '?' . $parts['query'] : '';
	return $scheme . '://' . strtolower( $parts['host'] ) . $port . ( '' === $path && '' !== $query ? '/' : $path ) . $query;
}

/** @return array{status: int, headers: mixed, body: string} status 0 where there was no answer. */
function ask( string $method, string $path, array $more = array() ): array {
	$url = settings()['url'];
	if ( '' === $url ) {
		return array( 'status' => 0, 'headers' => array(), 'body' => 'no address is set' );
	}
	$answer = wp_remote_request( $url . $path, array_merge( array( 'method' => $method, 'redirection' => 0, 'limit_response_size' => MOST_BYTES ), $more ) );
	if ( is_wp_error( $answer ) ) {
		return array( 'status' => 0, 'headers' => array(), 'body' => 'no answer' );
	}
	return array(
		'status'  => (int) wp_remote_retrieve_response_code( $answer ),
		'headers' => wp_remote_retrieve_headers( $answer ),
		'body'    => (string) wp_remote_retrieve_body( $answer ),
	);
}

function header_of( array $answer, string $name ): string {
	$value = $answer['headers'][ $name ] ?? '';
	return is_array( $value ) ? (string) end( $value ) : (string) $value;
}

function write( string $method, string $path, ?string $body = null, string $type = 'application/json' ): array {
	$key = write_key();
	if ( '' === $key ) {
		return array( 'status' => 0, 'headers' => array(), 'body' => 'no write key is set' );
	}
	$headers = array( 'Authorization' => 'Bearer ' . $key );
	if ( null !== $body ) {
		$headers['Content-Type'] = $type;
	}
	return ask( $method, $path, array( 'timeout' => 30, 'headers' => $headers, 'body' => $body ) );
}

/** Note what went wrong, for the settings page. The service's own words name fields, never the key. */
function note_problem( string $what ): void {
	update_option( PROBLEM, array( 'at' => time(), 'what' => substr( $what, 0, 500 ) ), false );
}

/* ---------------------------------------------------------------- the list under a story */

function cache_key( string $id, int $k, string $heading ): string {
	return 'newsroom_rel_' . md5( $id . "\n" . $k . "\n" . $heading );
}

/** Whether a list names a story that was changed or withdrawn since it was fetched; then it is not shown, whatever else fails. */
function is_purged( array $kept ): bool {
	$purged = (array) get_option( PURGED, array() );
	foreach ( $kept['ids'] as $id ) {
		if ( isset( $purged[ md5( $id ) ] ) && $purged[ md5( $id ) ] >= $kept['at'] ) {
			return true;
		}
	}
	return false;
}

/** Forget every list that belongs to one of these stories or names it. */
function purge( array $ids ): void {
	$purged = array_filter( (array) get_option( PURGED, array() ), static fn( $at ) => $at > time() - 2 * KEPT_SECONDS );
	foreach ( array_filter( $ids ) as $id ) {
		$purged[ md5( $id ) ] = microtime( true );
	}
	arsort( $purged );
	update_option( PURGED, array_slice( $purged, 0, 2000, true ), true );
	do_action( 'newsroom_recommender_purged', array_values( array_filter( $ids ) ) );
}

/** The list of a story as HTML; nothing where there is none, and on every failure. */
function related_html( int $post_id, ?int $k = null, ?string $heading = null ): string {
	$now     = settings();
	$k       = $k ?? $now['k'];
	$heading = $heading ?? $now['heading'];
	$post    = get_post( $post_id );
	if ( '' === $now['url'] || ! $post || 'publish' !== $post->post_status || '' !== (string) $post->post_password ) {
		return '';
	}
	$url  = (string) get_permalink( $post_id );
	$id   = article_id( $url );
	$key  = cache_key( $id, $k, $heading );
	$kept = get_transient( $key );
	$kept = is_array( $kept ) && isset( $kept['html'], $kept['until'], $kept['at'], $kept['ids'] ) && ! is_purged( $kept ) ? $kept : null;
	if ( null === $kept || $kept['until'] <= time() ) {
		if ( $kept ) {  // whoever asks meanwhile gets the old list instead of waiting, too
			set_transient( $key, array_merge( $kept, array( 'until' => time() + AGAIN_AFTER ) ), KEPT_SECONDS );
		}
		$kept = renewed( $key, $kept, $url, $k, $heading, (float) $now['timeout'] );
	}
	return (string) apply_filters( 'newsroom_recommender_html', $kept['html'], $post_id );
}

function renewed( string $key, ?array $kept, string $url, int $k, string $heading, float $timeout ): array {
	$at      = microtime( true );
	$id      = article_id( $url );
	$headers = array( 'Accept' => 'text/html' );
	if ( $kept && '' !== $kept['etag'] ) {
		$headers['If-None-Match'] = $kept['etag'];
	}
	$query  = http_build_query( array( 'url' => $url, 'k' => $k, 'heading' => $heading ), '', '&', PHP_QUERY_RFC3986 );
	$answer = ask( 'GET', '/v1/related.html?' . $query,  // by address: it may be known by an id of its own
		 array( 'timeout' => $timeout, 'headers' => $headers ) );
	$age    = preg_match( '/\bmax-age=(\d{1,9})/', header_of( $answer, 'cache-control' ), $found ) ? (int) $found[1] : 0;
	if ( 200 === $answer['status'] && strlen( $answer['body'] ) < MOST_BYTES && 0 === stripos( header_of( $answer, 'content-type' ), 'text/html' ) ) {
		$kept = array( 'html' => safe( $answer['body'] ), 'etag' => header_of( $answer, 'etag' ), 'ids' => array_merge( array( $id ), ids_in( $answer['body'] ) ) );
	} elseif ( 304 === $answer['status'] && $kept ) {
		$kept = array_merge( $kept, array() );
	} elseif ( 404 === $answer['status'] || null === $kept ) {  // the story is not there yet, or nothing is known
		$kept = array( 'html' => '', 'etag' => '', 'ids' => array( $id ) );
		$age  = AGAIN_AFTER;
	} else {
		$age = AGAIN_AFTER;  // the old list goes on
		$at  = $kept['at'];
	}
	$kept = array_merge( $kept, array( 'at' => $at, 'until' => time() + max( $age, AGAIN_AFTER ) ) );
	set_transient( $key, $kept, max( KEPT_SECONDS, $age ) );
	return $kept;
}

/** Nothing but what a list is made of. */
function safe( string $html ): string {
	$text = array( 'class' => true, 'lang' => true, 'dir' => true );
	return trim(
		wp_kses(
			$html,
			array(
				'aside' => array( 'class' => true, 'aria-label' => true, 'hidden' => true ),
				'h2'    => $text,
				'ol'    => $text,
				'li'    => $text + array( 'data-id' => true ),
				'p'     => $text,
				'span'  => $text,
				'bdi'   => $text,
				'time'  => array( 'datetime' => true ),
				'a'     => $text + array( 'href' => true, 'hreflang' => true ),
			),
			array( 'http', 'https' )
		)
	);
}

function ids_in( string $html ): array {
	preg_match_all( '/\bdata-id="([^"]{1,4000})"/', $html, $found );
	return array_map( static fn( $id ) => html_entity_decode( $id, ENT_QUOTES | ENT_HTML5, 'UTF-8' ), $found[1] );
}

function shortcode( $given ): string {
	$given = shortcode_atts( array( 'k' => '', 'heading' => null, 'id' => '' ), (array) $given, 'related_stories' );
	$k     = '' === (string) $given['k'] ? null : max( 1, min( 20, (int) $given['k'] ) );
	return related_html( (int) ( $given['id'] ? $given['id'] : get_the_ID() ), $k, null === $given['heading'] ? null : sanitize_text_field( $given['heading'] ) );
}

function append( string $content ): string {
	$now = settings();
	if ( ! $now['append'] || ! is_singular( $now['types'] ) || ! in_the_loop() || ! is_main_query() ) {
		return $content;
	}
	return $content . related_html( (int) get_the_ID() );
}

function register_block(): void {
	add_shortcode( 'related_stories', __NAMESPACE__ . '\shortcode' );
	wp_register_script( 'newsroom-recommender-block', false, array( 'wp-blocks', 'wp-element' ), '0.1.0', true );
	wp_add_inline_script(
		'newsroom-recommender-block',
		"wp.blocks.registerBlockType('newsroom-recommender/related',{title:'Related stories',icon:'list-view',category:'widgets'," .
		"attributes:{k:{type:'number'},heading:{type:'string'}},edit:function(){return wp.element.createElement('p',null,'Related stories appear here.')},save:function(){return null}});"
	);
	register_block_type(
		'newsroom-recommender/related',
		array(
			'api_version'     => 2,
			'attributes'      => array( 'k' => array( 'type' => 'number' ), 'heading' => array( 'type' => 'string' ) ),
			'editor_script'   => 'newsroom-recommender-block',
			'render_callback' => static fn( $given ) => shortcode( $given ),
		)
	);
}

/* ---------------------------------------------------------------- stories on their way */

function is_ours( $post ): bool {
	return $post && in_array( $post->post_type, settings()['types'], true );
}

function is_shown( $post ): bool {
	return 'publish' === $post->post_status && '' === (string) $post->post_password;
}

/** @return array What the service is told of a story. */
function record( $post ): array {
	$url        = (string) get_permalink( $post );
	$content    = strip_shortcodes( preg_replace( '/<!--.*?-->/s', '', (string) $post->post_content ) );
	$categories = array_values( array_filter( names( get_the_category( $post->ID ) ), static fn( $name ) => 'Uncategorized' !== $name ) );
	$record     = array(
		'id'           => article_id( $url ),
		'url'          => $url,
		'title'        => plain( get_the_title( $post ) ),
		'description'  => plain( (string) $post->post_excerpt ),
		'text'         => paragraphs( wpautop( $content ) ),
		'image_url'    => get_the_post_thumbnail_url( $post, 'full' ) ?: null,
		'published_at' => get_post_time( 'c', true, $post ) ?: null,
		'modified_at'  => get_post_modified_time( 'c', true, $post ) ?: null,
		'language'     => str_replace( '_', '-', get_locale() ),
		'section'      => $categories[0] ?? null,
		'tags'         => array_merge( array_slice( $categories, 1 ), names( get_the_tags( $post->ID ) ) ),
		'authors'      => array_values( array_filter( array( get_the_author_meta( 'display_name', $post->post_author ) ) ) ),
		'read_more'    => links( $content, $url ),
	);
	return (array) apply_filters( 'newsroom_recommender_record', $record, $post );
}

function names( $terms ): array {
	return is_array( $terms ) ? array_map( static fn( $term ) => html_entity_decode( $term->name, ENT_QUOTES | ENT_HTML5, 'UTF-8' ), $terms ) : array();
}

function plain( string $html ): string {
	return trim( html_entity_decode( wp_strip_all_tags( $html, true ), ENT_QUOTES | ENT_HTML5, 'UTF-8' ) );
}

/** A body as plain text, paragraphs parted by newlines; captions and scripts are none of it. */
function paragraphs( string $html ): string {
	$html = preg_replace( '#<(figcaption|script|style|iframe|form)\b.*?</\1>#is', '', $html );
	$html = preg_replace( '#\s*\n\s*#', ' ', $html );
	$html = preg_replace( '#<br\s*/?>|</(?:p|div|li|h[1-6]|blockquote|tr|figure|pre)>#i', "\n", $html );
	$text = html_entity_decode( wp_strip_all_tags( $html ), ENT_QUOTES | ENT_HTML5, 'UTF-8' );
	return trim( preg_replace( '#[ \t]*\n\s*#', "\n", $text ) );
}

/** The editor's links: those in the body to other stories of this site. */
function links( string $html, string $own ): array {
	$found = array();
	preg_match_all( '#<a\s[^>]{0,2000}?href=(["\'])(https?://.{1,2000}?)\1[^>]{0,2000}>(.{1,2000}?)</a>#is', $html, $anchors, PREG_SET_ORDER );
	foreach ( $anchors as $anchor ) {
		$url   = html_entity_decode( $anchor[2], ENT_QUOTES | ENT_HTML5, 'UTF-8' );
		$title = plain( $anchor[3] );
		if ( '' !== $title && wp_parse_url( $url, PHP_URL_HOST ) === wp_parse_url( $own, PHP_URL_HOST ) && article_id( $url ) !== article_id( $own ) && url_to_postid( $url ) ) {
			$found[ article_id( $url ) ] = array( 'title' => $title, 'url' => $url );
		}
	}
	return array_slice( array_values( $found ), 0, 50 );
}

/** Nobody waits for the service: what is to be sent is sent by wp-cron, and sent again until it is there. */
function schedule( string $what, string $ref, int $tries = 0, int $after = 0 ): void {
	$given = array( $what, $ref, $tries );
	if ( ! wp_next_scheduled( SEND_HOOK, $given ) ) {
		wp_schedule_single_event( time() + $after, SEND_HOOK, $given );
	}
}

/** After a story with its terms is saved: published, changed, unpublished, trashed, by whatever door. */
function saved( int $post_id, $post ): void {
	if ( ! is_ours( $post ) || wp_is_post_revision( $post_id ) || wp_is_post_autosave( $post_id ) ) {
		return;
	}
	$sent = (string) get_post_meta( $post_id, SENT_META, true );
	if ( ! is_shown( $post ) && '' === $sent ) {
		return;
	}
	purge( array( $sent, is_shown( $post ) ? article_id( (string) get_permalink( $post_id ) ) : '' ) );
	schedule( 'post', (string) $post_id );
}

function deleted( int $post_id ): void {
	$sent = (string) get_post_meta( $post_id, SENT_META, true );
	if ( '' !== $sent ) {
		purge( array( $sent ) );
		schedule( 'gone', $sent );
	}
}

/** Bring the service to what is true now, whatever was asked for when: so retries and jobs out of order do no harm. */
function send( string $what, string $ref, int $tries = 0 ): void {
	$post   = 'post' === $what ? get_post( (int) $ref ) : null;
	$answer = $post && is_shown( $post ) ? put( $post ) : take_away( 'gone' === $what ? $ref : (string) get_post_meta( (int) $ref, SENT_META, true ), $post );
	if ( null === $answer || in_array( $answer['status'], array( 200, 201 ), true ) ) {
		return;
	}
	$passes = 0 === $answer['status'] || 401 === $answer['status'] || 429 === $answer['status'] || $answer['status'] >= 500;
	note_problem( $what . ' ' . $ref . ': ' . ( $answer['status'] ? $answer['status'] . ' ' : '' ) . $answer['body'] );
	if ( $passes && $tries + 1 < MOST_TRIES ) {
		$asked = (int) header_of( $answer, 'retry-after' );
		schedule( $what, $ref, $tries + 1, max( min( 60 * 2 ** $tries, 6 * 3600 ), min( $asked, 6 * 3600 ) ) );
	}
}

function put( $post ): array {
	$record = record( $post );
	$body   = wp_json_encode( $record );
	$before = (string) get_post_meta( $post->ID, SENT_META, true );
	$answer = write( 'PUT', '/v1/articles/' . rawurlencode( $record['id'] ), false === $body ? '{}' : $body );
	if ( in_array( $answer['status'], array( 200, 201 ), true ) ) {
		update_post_meta( $post->ID, SENT_META, wp_slash( $record['id'] ) );
		if ( '' !== $before && $before !== $record['id'] ) {  // its address is another one now
			schedule( 'gone', $before );
		}
		purge( array( $record['id'], $before ) );
	}
	return $answer;
}

/** Withdraw a story; null where there is nothing to withdraw. One that is not there is as good as withdrawn. */
function take_away( string $id, $post ): ?array {
	if ( '' === $id ) {
		return null;
	}
	purge( array( $id ) );
	$answer = write( 'DELETE', '/v1/articles/' . rawurlencode( $id ) );
	if ( ! in_array( $answer['status'], array( 200, 404 ), true ) ) {
		return $answer;
	}
	if ( $post ) {
		delete_post_meta( $post->ID, SENT_META );
	}
	return null;
}

/* ---------------------------------------------------------------- the whole archive */

/**
 * Send every published story, some in one request; may be run again at any time.
 *
 * @return array{sent: int, refused: int, problem: string} problem is empty when all was sent.
 */
function send_archive( int $batch = 100, int $after = 0, ?callable $tell = null ): array {
	$done = array( 'sent' => 0, 'refused' => 0, 'problem' => '' );
	while ( $ids = ids_after( $after, $batch ) ) {
		$records = array();
		foreach ( $ids as $post_id ) {
			$post = get_post( $post_id );
			if ( $post && is_shown( $post ) ) {
				$records[ $post_id ] = record( $post );
			}
		}
		$answer = $records ? write_batch( $records ) : array( 'status' => 200, 'body' => '{}' );
		if ( 200 !== $answer['status'] && 422 !== $answer['status'] ) {
			$done['problem'] = sprintf( 'stopped after post %d: %d %s', $after, $answer['status'], substr( $answer['body'], 0, 300 ) );
			return $done;
		}
		$told             = json_decode( $answer['body'], true );
		$refused          = array();
		foreach ( (array) ( $told['refusals'] ?? array() ) as $refusal ) {
			$post_id             = array_keys( $records )[ (int) $refusal['line'] - 1 ] ?? 0;
			$refused[ $post_id ] = true;
			if ( $tell ) {
				$tell( sprintf( 'post %d is refused: %s', $post_id, $refusal['reason'] ) );
			}
		}
		foreach ( array_diff_key( $records, $refused ) as $post_id => $record ) {
			update_post_meta( $post_id, SENT_META, wp_slash( $record['id'] ) );
		}
		$done['refused'] += count( $refused );
		$done['sent']    += count( $records ) - count( $refused );
		$after            = max( $ids );
		if ( $tell ) {
			$tell( sprintf( '%d sent, to post %d', $done['sent'], $after ) );
		}
	}
	return $done;
}

function ids_after( int $after, int $n ): array {
	global $wpdb;
	$types = settings()['types'];
	$marks = implode( ',', array_fill( 0, count( $types ), '%s' ) );
	$sql   = "SELECT ID FROM {$wpdb->posts} WHERE post_status = 'publish' AND post_type IN ($marks) AND ID > %d ORDER BY ID LIMIT %d";
	return array_map( 'intval', $wpdb->get_col( $wpdb->prepare( $sql, array_merge( $types, array( $after, $n ) ) ) ) ); // phpcs:ignore -- only marks are put in.
}

function write_batch( array $records, int $tries = 0 ): array {
	$answer = write( 'POST', '/v1/articles', implode( "\n", array_map( 'wp_json_encode', $records ) ), 'application/x-ndjson' );
	if ( in_array( $answer['status'], array( 0, 429, 503 ), true ) && $tries < 3 && '' !== write_key() ) {
		sleep( max( 1, min( 30, (int) header_of( $answer, 'retry-after' ) ) ) );
		return write_batch( $records, $tries + 1 );
	}
	return $answer;
}

/** wp newsroom-recommender send [--batch=100] [--after=ID] */
function command( array $args, array $options ): void {
	$batch = max( 1, min( 500, (int) ( $options['batch'] ?? 100 ) ) );
	$done  = send_archive( $batch, (int) ( $options['after'] ?? 0 ), array( '\WP_CLI', 'log' ) );
	if ( '' !== $done['problem'] ) {
		\WP_CLI::error( $done['problem'] );
	}
	\WP_CLI::success( sprintf( '%d stories sent, %d refused; now run: recommender rebuild', $done['sent'], $done['refused'] ) );
}

function uninstall(): void {
	foreach ( array( OPTION, KEY_OPTION, PURGED, PROBLEM ) as $name ) {
		delete_option( $name );
	}
	delete_post_meta_by_key( SENT_META );
}

add_action( 'init', __NAMESPACE__ . '\register_block' );
add_action( 'admin_init', __NAMESPACE__ . '\register_settings' );
add_action( 'admin_menu', __NAMESPACE__ . '\add_page' );
add_filter( 'the_content', __NAMESPACE__ . '\append', 20 );
add_action( 'wp_after_insert_post', __NAMESPACE__ . '\saved', 10, 2 );
add_action( 'before_delete_post', __NAMESPACE__ . '\deleted', 10, 1 );
add_action( SEND_HOOK, __NAMESPACE__ . '\send', 10, 3 );
register_deactivation_hook( __FILE__, static fn() => wp_unschedule_hook( SEND_HOOK ) );
register_uninstall_hook( __FILE__, __NAMESPACE__ . '\uninstall' );
if ( defined( 'WP_CLI' ) && \WP_CLI ) {
	\WP_CLI::add_command( 'newsroom-recommender send', __NAMESPACE__ . '\command' );
}
